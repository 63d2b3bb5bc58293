package testroot

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Roles are what a test binary can do as a process of its own, for tests that kill it or count its
// system calls.
type Roles map[string]func(args []string) error

const roleVariable = "LATCHKEY_TEST_ROLE"

// Main is a TestMain: it plays the role that Role asked for, or runs the tests and then the
// cleanup.
func Main(m *testing.M, roles Roles, after ...func()) {
	play, ok := roles[os.Getenv(roleVariable)]
	if !ok {
		code := m.Run()
		for _, f := range after {
			f()
		}
		os.Exit(code)
	}
	runtime.LockOSThread() // strace counts system calls by thread
	if err := play(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// Role returns this test binary as a process that plays a role, behind a prefix such as Strace's.
func Role(prefix []string, role string, args ...string) *exec.Cmd {
	line := append(append(prefix[:len(prefix):len(prefix)], os.Args[0]), args...)
	cmd := exec.Command(line[0], line[1:]...)
	// A program with the race detector sleeps for a second at its end unless it is told not to.
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// fileCalls are the system calls that change something; killing a process between two of them
// amounts to killing it before the second. (openat(2) makes temporary files, and fchmod(2)
// follows.)
const fileCalls = "flock write pwrite64 fdatasync fsync fchown fchmod renameat renameat2 unlinkat"

// KillAtEveryCall plays a role again and again and kills it with SIGKILL before its first
// write(2), before its second, and so on until it ends by itself, and likewise for every other
// system call that changes something. After each run it calls check with the call before which it
// was killed and whether the role was completed. It returns how many runs were killed.
func KillAtEveryCall(t *testing.T, role string, args []string,
	check func(before string, completed bool)) (killed int) {
	t.Helper()
	Kills(t, fileCalls, func(strace []string, before string) bool {
		out, err := Role(strace, role, args...).CombinedOutput()
		if err != nil && len(out) > 0 {
			t.Fatalf("before %s: %v: %s", before, err, strings.TrimSpace(string(out)))
		}
		check(before, err == nil)
		if err != nil {
			killed++
		}
		return err != nil
	})
	return killed
}

// Kills calls run with the command line of strace that kills before the first use of the first of
// calls, and so on while run says that the program was killed; then the same for the next of
// calls.
func Kills(t *testing.T, calls string, run func(strace []string, before string) (killed bool)) {
	t.Helper()
	for _, call := range strings.Fields(calls) {
		for n := 1; ; n++ {
			inject := fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)
			if !run(Strace(t, "-o", "/dev/null", "-e", "trace="+call, "-e", inject),
				fmt.Sprintf("%s %d", call, n)) {
				break
			}
		}
	}
}

// Executable writes a program. No child that is started meanwhile inherits the file open for
// writing, so it can be started at once (ETXTBSY of execve(2)).
func Executable(t testing.TB, path string, text []byte) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	Must(t, os.WriteFile(path, text, 0o755))
}

// Stops is Kills with SIGSTOP, after which a program stays stopped until it is killed. run also
// gets a function that returns once the program was stopped or has ended (as ended says) and
// reports whether it is stopped; run reports the same.
func Stops(t *testing.T, calls string,
	run func(strace []string, stopped func(ended <-chan struct{}) bool, after string) bool) {
	t.Helper()
	for _, call := range strings.Fields(calls) {
		for n := 1; ; n++ {
			trace := filepath.Join(t.TempDir(), "trace")
			inject := fmt.Sprintf("inject=%s:signal=STOP:when=%d", call, n)
			stopped := func(ended <-chan struct{}) bool {
				for {
					if text, _ := os.ReadFile(trace); strings.Contains(string(text),
						"--- stopped by SIGSTOP ---") {
						return true
					}
					select {
					case <-ended:
						return false
					case <-time.After(time.Millisecond):
					}
				}
			}
			if !run(Strace(t, "-o", trace, "-e", "trace="+call, "-e", inject), stopped,
				fmt.Sprintf("%s %d", call, n)) {
				break
			}
		}
	}
}

// KillTraced kills what a strace traces, which would stay stopped once strace is gone.
func KillTraced(strace int) {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", strace))
	for _, child := range strings.Fields(string(children)) {
		if pid, err := strconv.Atoi(child); err == nil {
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}

// FailCall plays a role in which one system call fails with an error. It returns what the role
// printed.
func FailCall(t *testing.T, call, errno string, role string,
	args ...string) (output string, failed bool) {
	t.Helper()
	inject := fmt.Sprintf("inject=%s:error=%s", call, errno)
	out, err := Role(Strace(t, "-o", "/dev/null", "-e", "trace="+call, "-e", inject), role,
		args...).CombinedOutput()
	return string(out), err != nil
}

// RoleWithMounts is Role in a mount namespace of its own, so that its mounts vanish with it. Only
// root can do this.
func RoleWithMounts(t *testing.T, role string, args ...string) *exec.Cmd {
	t.Helper()
	NeedRoot(t, "only root can mount")
	cmd := exec.Command("unshare", "--mount", "true")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("mount namespaces do not work here: %v: %s", err, strings.TrimSpace(string(out)))
	}
	return Role([]string{"unshare", "--mount", "--propagation", "private", "--"}, role, args...)
}
