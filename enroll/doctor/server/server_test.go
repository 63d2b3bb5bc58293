package server

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"latchkey/pam/testroot"
)

func TestCommandLinesOfSSHDAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"/usr/sbin/sshd -D":                  "{sshd /etc/ssh/sshd_config []}",
		"/usr/sbin/sshd-backup -f /etc/b -D": "{sshd-backup /etc/b []}",
		"sshd -Df /etc/b -oUsePAM=no -o Port=22 -p2": "{sshd /etc/b [-o UsePAM=no " +
			"-o Port=22 -p 2]}",
		"/usr/sbin/sshd -E /var/log/f -D -h /etc/key -f/etc/b": "{sshd /etc/b [-h /etc/key]}",
		"sshd -f": "{sshd  []}",
	} {
		if got := fmt.Sprint(parse(strings.Fields(text))); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

func TestTitlesOfSSHDByAnyNameAreRead(t *testing.T) {
	for text, want := range map[string]string{
		"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups": "[/usr/sbin/sshd -D]",
		"sshd-b: /usr/sbin/sshd-b -f /b [listener] 0 of 10-100":   "[/usr/sbin/sshd-b -f /b]",
		"sshd: alice [priv]":               "[]",
		"nginx: /usr/sbin/sshd [listener]": "[]",
		"sshd: [listener]":                 "[]",
		"/usr/sbin/sshd\x00-D":             "[]",
	} {
		if got := fmt.Sprint(titled(text)); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
}

// title is what a listening sshd calls itself.
const title = "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"

// entitled starts a process with that title, as a user.
func entitled(t *testing.T, program string, uid uint32) (pid int) {
	t.Helper()
	cmd := &exec.Cmd{Path: program, Args: []string{title, "1000"}}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	testroot.Must(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd.Process.Pid
}

// A process that any user can start must not keep sshd from being reloaded, nor have root read a
// configuration of theirs.
func TestOnlyRootsOwnSSHDCountsAsOne(t *testing.T) {
	testroot.NeedRoot(t, "only root can start processes of others")
	sleep, err := exec.LookPath("sleep")
	testroot.Must(t, err)
	sshd := t.TempDir() + "/sshd"
	for _, dir := range []string{filepath.Dir(sshd), filepath.Dir(filepath.Dir(sshd))} {
		testroot.Must(t, os.Chmod(dir, 0o755))
	}
	testroot.Executable(t, sshd, testroot.Read(t, sleep))
	for name, c := range map[string]struct {
		program string
		uid     uint32
		want    bool
	}{
		"sshd of root's":              {sshd, 0, true},
		"sshd of a user's":            {sshd, 65534, false},
		"a user's program":            {sleep, 65534, false},
		"another program, as of sudo": {sleep, 0, false},
	} {
		pid := entitled(t, c.program, c.uid)
		if got := slices.Contains(Running(""), pid); got != c.want || Listens(pid) != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if Listens(os.Getpid()) {
		t.Error("got the test for an sshd")
	}
}
