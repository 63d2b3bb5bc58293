package main

import (
	"os"
	"regexp"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// harmless is what a value kept from the caller's environment may look like: the name of a terminal or of a locale,
// never a path.
var harmless = regexp.MustCompile(`^[A-Za-z0-9_.@-]{1,64}$`)

// fixedEnvironment is the environment enroll runs with. Of the caller's it keeps what says how text is shown. GOTRACEBACK
// is what Go sets by itself in a setuid program: it stands here so that the environment compares equal in both.
func fixedEnvironment(getenv func(string) string) []string {
	fixed := []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "GOTRACEBACK=none"}
	for _, name := range []string{"TERM", "LANG", "LC_ALL", "LC_CTYPE", "NO_COLOR"} {
		if value := getenv(name); harmless.MatchString(value) {
			fixed = append(fixed, name+"="+value)
		}
	}
	return fixed
}

// cleanStart makes sure that nothing the caller chose is left in the process before anything is read: enroll is setuid
// root, and environment, limits and mask are the caller's. Go and libpam have read the environment by the
// time main runs, so a changed one needs a new process.
func cleanStart() error {
	fixed := fixedEnvironment(os.Getenv)
	if !slices.Equal(os.Environ(), fixed) {
		return &os.PathError{Op: "exec", Path: "/proc/self/exe", Err: syscall.Exec("/proc/self/exe", os.Args, fixed)}
	}
	unix.Umask(0o077)
	resetLimits()
	return nil
}

// resetLimits undoes limits that would break a write in the middle, and forbids core files, which would hold secrets.
// Where raising them is not permitted, a write that fails leaves the old file as it was.
func resetLimits() {
	const free = unix.RLIM_INFINITY
	unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	for _, what := range []int{unix.RLIMIT_FSIZE, unix.RLIMIT_CPU, unix.RLIMIT_AS, unix.RLIMIT_DATA} {
		unix.Setrlimit(what, &unix.Rlimit{Cur: free, Max: free})
	}
	unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 256, Max: 4096})
}
