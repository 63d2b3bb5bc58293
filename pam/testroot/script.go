package testroot

import (
	"os"
	"path/filepath"
	"testing"
)

// started is the folder in which the scripts of Script note their process ids.
const started = "pids"

// Script puts a shell script in place of a program without rights. It first notes its process id,
// and any user can get to it.
func (r Root) Script(t testing.TB, program, script string) {
	t.Helper()
	Must(t, os.MkdirAll(filepath.Dir(r.Join(program)), 0o755))
	Must(t, os.Mkdir(r.Join(started), 0o755))
	Must(t, os.Chmod(r.Join(started), 0o1777))
	text := "#!/bin/sh\n: >" + r.Join(started) + "/$$\n" + script + "\n"
	Executable(t, r.Join(program), []byte(text))
	for dir := string(r); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		Must(t, os.Chmod(dir, 0o755))
	}
}

// Started are the ids of the processes that were a script of Script.
func (r Root) Started(t testing.TB) (pids []string) {
	t.Helper()
	files, err := os.ReadDir(r.Join(started))
	Must(t, err)
	for _, f := range files {
		pids = append(pids, f.Name())
	}
	return pids
}

// Gone demands that a script of Script was started so often, and that none is left, not even as a
// zombie.
func (r Root) Gone(t testing.TB, count int) {
	t.Helper()
	pids := r.Started(t)
	if len(pids) != count {
		t.Errorf("got %d programs started, want %d", len(pids), count)
	}
	for _, pid := range pids {
		if _, err := os.Stat("/proc/" + pid); err == nil {
			t.Errorf("process %s is left", pid)
		}
	}
}
