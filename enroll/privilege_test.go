package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/sshd/poll"
)

const nobody = 65534

// setuidRoot makes a root that others may enter, with records of users in it, and the enroll for
// it as it is installed.
func setuidRoot(t *testing.T, users ...string) (exe, root string) {
	t.Helper()
	exe, root = underRoot(t)
	for _, user := range users {
		runs(t, exe, "--user", user, "add", "totp", "--label", "phone", "--yes")
	}
	for _, dir := range []string{filepath.Dir(root), root, filepath.Dir(filepath.Dir(exe)),
		filepath.Dir(exe)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(exe, 0o755|os.ModeSetuid); err != nil {
		t.Fatal(err)
	}
	return exe, root
}

// The real and the saved uid decide which users may send a signal, kill(2).
func TestACallerCannotStopEnrollWhereItHoldsALock(t *testing.T) {
	exe, root := setuidRoot(t, "nobody")
	held, err := os.Open(root + "/var/lib/latchkey/users/nobody")
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	if err := unix.Flock(int(held.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	cmd := exec.Command(exe, "status") // waits for the lock
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody,
		Gid: nobody}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var real, effective, saved int
	if err := poll.Until("enroll to wait for the lock", lockWait, func() error {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
		if err != nil {
			return err
		}
		_, ids, _ := strings.Cut(string(status), "\nUid:")
		fmt.Sscan(ids, &real, &effective, &saved)
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", cmd.Process.Pid))
		for _, file := range files {
			if to, _ := os.Readlink(file); to == held.Name() {
				return nil
			}
		}
		return fmt.Errorf("it has not opened %s", held.Name())
	}); err != nil {
		cmd.Wait()
		t.Fatalf("%v: %s", err, out.String())
	}
	if real != 0 || effective != 0 || saved != 0 {
		t.Errorf("it waits with the uids %d, %d and %d", real, effective, saved)
	}
	held.Close()
	if err := cmd.Wait(); err != nil || !strings.Contains(out.String(), "phone ") {
		t.Errorf("%v: %s", err, out.String())
	}
}

// libc changes the uids of the other threads by signals, and a caller can see to it that none can
// be sent. Root may raise that limit again where he has CAP_SYS_RESOURCE; where not, as in many
// containers, nothing must go on.
func TestNoThreadStaysRootsWhereNoSignalCanBeQueued(t *testing.T) {
	exe, root := setuidRoot(t, "nobody")
	askPasswords(t, root)
	nobody := []string{"setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"}
	limited := []string{"prlimit", "--sigpending=0:0", exe, "test"}
	refused := started(t, 80, 24, slices.Concat(nobody,
		[]string{"--bounding-set", "-sys_resource"}, limited))
	expect(t, refused,
		`enroll: error: the uids of a thread could not be changed \(see: ulimit -i\)`)
	exits(t, refused, exitFailed)

	term := started(t, 80, 24, slices.Concat(nobody, limited))
	expect(t, term, `Password: |the uids of a thread could not be changed`)
	if strings.Contains(term.Seen(), "could not be changed") {
		exits(t, term, exitFailed)
		return
	}
	talk(t, term, "", password, `Verification code: `)
	statuses, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", term.Pid()))
	if err != nil || len(statuses) < 2 {
		t.Fatalf("%d threads, %v", len(statuses), err)
	}
	for _, path := range statuses {
		if status, err := os.ReadFile(path); err != nil ||
			!strings.Contains(string(status), "\nUid:\t65534\t65534\t0\t65534\n") {
			t.Errorf("%v: %s", err, status)
		}
	}
}
