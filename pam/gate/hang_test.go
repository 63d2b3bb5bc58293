package gate

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// unanswered has every execve of a file wait until the test ends: the kernel asks this process
// about it, as a file system asks its server. Tests without the right to that are skipped.
func unanswered(t *testing.T, path string) {
	t.Helper()
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC, unix.O_RDONLY)
	if err != nil {
		t.Skipf("fanotify cannot be used here: %v", err)
	}
	over := make(chan struct{})
	go func() {
		select {
		case <-over:
		case <-time.After(long):
			t.Error("the gate waits for execve")
		}
		unix.Close(fd)
	}()
	t.Cleanup(func() { close(over) })
	if err := unix.FanotifyMark(fd, unix.FAN_MARK_ADD, unix.FAN_OPEN_EXEC_PERM, unix.AT_FDCWD,
		path); err != nil {
		t.Skipf("fanotify asks about no execve here: %v", err)
	}
}

// FAULTS 7: the application's thread waits for execve as after vfork, so the kernel has to end
// that wait.
func TestLoginProgramWhoseExecveHangsIsDeniedWithinTheDeadline(t *testing.T) {
	text, err := os.ReadFile(must(t, buildLogin))
	if err != nil {
		t.Fatal(err)
	}
	a := newAttempt(t, send("V2 allow"))
	a.program, a.deadline = writeProgram(t, "login", string(text), 0o755), 300*time.Millisecond
	unanswered(t, a.program)
	wantDenied(t, a.authenticate(), "login program gave no verdict within 300 ms")
	noChildren(t)
}
