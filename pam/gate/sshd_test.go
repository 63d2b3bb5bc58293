package gate

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// called returns the test's application under another name, with a mode and an owner.
func called(t *testing.T, name string, uid int, mode os.FileMode) string {
	t.Helper()
	text, err := os.ReadFile(must(t, buildHost))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(writable(t), name)
	if err := os.WriteFile(path, text, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, uid, -1); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

// saysSSHD reports whether the login program of an application is told that it is sshd.
func (h host) saysSSHD(t *testing.T) bool {
	t.Helper()
	path := filepath.Join(writable(t), "notes")
	writeService(t, h.confdir, "auth required "+must(t, buildModule)+" notes="+path+" "+
		strings.ReplaceAll(send("V2 allow"), " ", "\\ ")+"\n")
	h.run(t)
	hello := notes(t, path)["hello"]
	if len(hello) != 1 || !strings.Contains(hello[0], "auth_info=") {
		t.Fatalf("got hellos %q, want one", hello)
	}
	return slices.Contains(strings.Split(hello[0], "\x00"), "sshd=1")
}

func TestOnlyAProgramCalledSSHDIsTakenForSSHD(t *testing.T) {
	for name, want := range map[string]bool{
		"sshd": true, "sshd-session": true,
		"sshd-auth": false, "sshd2": false, "notsshd": false, "SSHD": false, "su": false,
		"sudo":  false,
		"login": false, "sshd-session-x": false, "sshd (deleted)": false,
	} {
		h := newHost(t, must(t, buildModule))
		h.program = called(t, name, os.Geteuid(), 0o755)
		if got := h.saysSSHD(t); got != want {
			t.Errorf("a program called %q: got taken for sshd %v, want %v", name, got, want)
		}
	}
}

func TestALinkCalledSSHDIsTheProgramItLeadsTo(t *testing.T) {
	h := newHost(t, must(t, buildModule))
	link := filepath.Join(writable(t), "sshd")
	if err := os.Symlink(h.program, link); err != nil {
		t.Fatal(err)
	}
	h.program = link
	if h.saysSSHD(t) {
		t.Error("got that a link called sshd is sshd")
	}
}

// The caller of a setuid program chooses its environment, limits and descriptors. sshd is not
// setuid.
func TestAProgramThatAUserStartedWithRootsRightsIsNeverTakenForSSHD(t *testing.T) {
	if !asRoot(t) {
		t.Skip("only root can make a program that runs with another user's rights")
	}
	if flags := mountFlags(t, scratch); flags&unix.ST_NOSUID != 0 {
		t.Skip("setuid programs have no rights below " + scratch)
	}
	if sanitizers != "" {
		t.Skip("LeakSanitizer cannot look into a setuid program, and reads no options there")
	}
	h := newHost(t, must(t, buildModule))
	// with the rights of a user, which serve as well here
	h.program = called(t, "sshd", 12345, os.ModeSetuid|0o755)
	if h.saysSSHD(t) {
		t.Error("got that a setuid program is sshd")
	}
	h.program = called(t, "sshd", 12345, 0o755)
	if !h.saysSSHD(t) {
		t.Error("got that the same program is not sshd if it is not setuid")
	}
}

func mountFlags(t *testing.T, path string) int64 {
	t.Helper()
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		t.Fatal(err)
	}
	return st.Flags
}
