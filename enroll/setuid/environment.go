// Package setuid lets a program that is installed setuid root run safely in a process that its
// caller prepared: it starts clean, and is root only for the moments that need it.
package setuid

import (
	"os"
	"regexp"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"latchkey/enroll/hint"
)

// harmless is what a value kept from the caller's environment may look like: the name of a
// terminal or of a locale, never a path.
var harmless = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,64}$`)

// invokers are the variables in which sudo(8) and doas(1) name their caller.
var invokers = []string{"SUDO_USER", "DOAS_USER"}

// Invoker is the user who became root by sudo or doas; empty: no one did, or root itself. It is a
// hint, never a right: root may have set it.
func Invoker() string {
	for _, name := range invokers {
		if value := os.Getenv(name); value != "" && value != "root" {
			return value
		}
	}
	return ""
}

// loginInfo names the file in which sshd says how its user logged in (ExposeAuthInfo).
const loginInfo = "SSH_USER_AUTH"

var ofSSHD = regexp.MustCompile(`^/tmp/sshauth\.[A-Za-z0-9]{1,32}$`)

// LoginInfo is the path of that file; empty: there is none. It is a hint, never a right: the
// caller may have set it, and may write there. It is for reading with the caller's rights.
func LoginInfo() string {
	if path := os.Getenv(loginInfo); ofSSHD.MatchString(path) {
		return path
	}
	return ""
}

// fixedEnvironment is the environment that the program runs with. It keeps from the caller's what
// says how text is shown and which user called sudo. GOTRACEBACK is what Go sets by itself in a
// setuid program: it stands here so that the environment compares equal in both.
func fixedEnvironment(getenv func(string) string) []string {
	fixed := []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "GOTRACEBACK=none"}
	for _, name := range []string{"TERM", "LANG", "LC_ALL", "LC_CTYPE"} {
		if value := getenv(name); harmless.MatchString(value) {
			fixed = append(fixed, name+"="+value)
		}
	}
	for _, name := range invokers {
		if value := getenv(name); harmless.MatchString(value) {
			fixed = append(fixed, name+"="+value)
		}
	}
	if path := getenv(loginInfo); ofSSHD.MatchString(path) {
		fixed = append(fixed, loginInfo+"="+path)
	}
	if getenv("NO_COLOR") != "" { // with any value
		fixed = append(fixed, "NO_COLOR=1")
	}
	return fixed
}

// CleanStart leaves nothing in the process that the caller chose: scheduling, limits, environment
// and mask. Call it before anything is read. Go and libpam have read the environment by the time
// main runs, so a changed one needs a new process: then CleanStart returns only if that fails.
func CleanStart() error {
	resetScheduling()
	// Before a new process: libc takes the size of the stacks that PAM's modules run on from the
	// limit at its start.
	resetLimits()
	fixed := fixedEnvironment(os.Getenv)
	if !slices.Equal(os.Environ(), fixed) {
		err := syscall.Exec("/proc/self/exe", os.Args, fixed)
		return &os.PathError{Op: "exec", Path: "/proc/self/exe", Err: err}
	}
	unix.Umask(0o077)
	return stackSuffices()
}

// leastStack is what PAM's modules need at least; hashing a password alone takes 64 KiB.
const leastStack = 1 << 20

func stackSuffices() error {
	var stack unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_STACK, &stack) != nil || stack.Cur >= leastStack {
		return nil
	}
	size := strconv.FormatUint(stack.Cur, 10)
	return hint.Error("the stack may not be larger than "+size+" bytes",
		"log in again, or: ulimit -s 8192")
}
