package main_test

import (
	"os"
	"path/filepath"
	"testing"

	"latchkey/pam/notify/event"
	"latchkey/pam/testroot"
)

// Only root may have been able to write the program.
func TestProgramThatOthersCouldHaveWrittenIsRefused(t *testing.T) {
	testroot.NeedRoot(t, "only root can give a file away")
	for name, c := range map[string]struct {
		spoil func(path string) error
		why   string
	}{
		"writable by its group": {func(p string) error { return os.Chmod(p, 0o775) },
			"mode 0775"},
		"writable by everyone": {func(p string) error { return os.Chmod(p, 0o757) },
			"mode 0757"},
		"owned by a user": {func(p string) error { return os.Chown(p, 1000, 0) },
			"owned by uid 1000"},
		"owned by the account": {func(p string) error {
			return os.Chown(p, account, account)
		}, "owned by uid"},
		"in a directory of a user": {func(p string) error {
			return os.Chown(filepath.Dir(p), 1000, 0)
		}, "owned by uid 1000"},
		"in a directory of a group": {func(p string) error {
			return os.Chmod(filepath.Dir(p), 0o775)
		}, "writable by others"},
		"a symbolic link": {link, "too many levels of symbolic links"},
		"a hard link":     {func(p string) error { return os.Link(p, p+"2") }, "2 hard links"},
		"missing":         {os.Remove, "no such file"},
		"a directory": {func(p string) error { os.Remove(p); return os.Mkdir(p, 0o755) },
			"not a regular file"},
		"a FIFO":         {fifo, "not a regular file"},
		"not executable": {func(p string) error { return os.Chmod(p, 0o644) }, "does not let uid"},
		"only for root":  {func(p string) error { return os.Chmod(p, 0o700) }, "does not let uid"},
		"out of reach": {func(p string) error { return os.Chmod(filepath.Dir(p), 0o700) },
			"does not let uid"},
		"no program": {func(p string) error { return os.WriteFile(p, []byte("\x7fELF"), 0o755) },
			"exec format error"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, ": >ran")
			testroot.Must(t, c.spoil(h.root.Join(program)))
			h.tell(ample, an(event.Lock))
			h.logged(event.Lock, c.why)
			if _, err := os.Stat(h.root.Join("out/ran")); err == nil {
				t.Error("the program was run")
			}
		})
	}
}

// Its twin: a program that only root and the account can run is accepted.
func TestProgramForTheAccountAloneRuns(t *testing.T) {
	testroot.NeedRoot(t, "only root can give a file away")
	h := newHost(t, ": >ran")
	testroot.Must(t, os.Chown(h.root.Join(program), 0, account))
	testroot.Must(t, os.Chmod(h.root.Join(program), 0o750))
	h.tell(ample, an(event.Lock))
	h.silent()
	h.out("ran")
}
