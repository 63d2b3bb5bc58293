package testroot

import (
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Unprivileged runs f on a thread that may not override file permissions, so that root is refused
// what an ordinary user is refused.
func Unprivileged(t testing.TB, f func()) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var before [2]unix.CapUserData
	Must(t, unix.Capget(&header, &before[0]))
	without := before
	without[0].Effective &^= 1<<unix.CAP_DAC_OVERRIDE | 1<<unix.CAP_DAC_READ_SEARCH
	Must(t, unix.Capset(&header, &without[0])) // of this thread only
	defer func() { Must(t, unix.Capset(&header, &before[0])) }()
	f()
}

// Stranger is a uid under which no test runs.
const Stranger = 65534

// GiveAway makes a path another user's. Only root can.
func GiveAway(t testing.TB, path string) {
	t.Helper()
	NeedRoot(t, "only root can give a file away")
	Must(t, os.Lchown(path, Stranger, Stranger))
}

// NeedRoot skips a test that only root can run.
func NeedRoot(t testing.TB, why string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("needs root: %s", why)
	}
}

// Strace returns the command line of strace for a program to be traced with all its threads, or
// skips the test with the reason.
func Strace(t testing.TB, options ...string) []string {
	t.Helper()
	path, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed (apt-get install strace)")
	}
	if out, err := exec.Command(path, "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		t.Skipf("strace does not work here: %s", strings.TrimSpace(string(out)))
	}
	return append([]string{path, "-f"}, options...)
}
