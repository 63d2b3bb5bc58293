package main

import (
	"os"
	"regexp"
	"slices"
	"strconv"
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
	for _, name := range []string{"TERM", "LANG", "LC_ALL", "LC_CTYPE"} {
		if value := getenv(name); harmless.MatchString(value) {
			fixed = append(fixed, name+"="+value)
		}
	}
	if getenv("NO_COLOR") != "" { // whatever it says
		fixed = append(fixed, "NO_COLOR=1")
	}
	return fixed
}

// cleanStart makes sure that nothing the caller chose is left in the process before anything is read: enroll is setuid
// root, and environment, limits and mask are the caller's. Go and libpam have read the environment by the
// time main runs, so a changed one needs a new process.
func cleanStart() error {
	resetScheduling()
	resetLimits() // before a new process: libc takes the size of the stacks PAM's modules run on from the limit at its start
	fixed := fixedEnvironment(os.Getenv)
	if !slices.Equal(os.Environ(), fixed) {
		return &os.PathError{Op: "exec", Path: "/proc/self/exe", Err: syscall.Exec("/proc/self/exe", os.Args, fixed)}
	}
	unix.Umask(0o077)
	var stack unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_STACK, &stack) == nil && stack.Cur < leastStack {
		return &failure{"the stack may not be larger than " + strconv.FormatUint(stack.Cur, 10) + " bytes", "log in anew, or: ulimit -s 8192"}
	}
	return nil
}

// leastStack is what PAM's modules need at least; hashing a password alone takes 64 KiB.
const leastStack = 1 << 20

// resetLimits undoes limits that would break a write in the middle or let C code run off its stack, and forbids core files,
// which would hold secrets. Where raising them is not permitted, a write that fails leaves the old file as it was.
func resetLimits() {
	const free = unix.RLIM_INFINITY
	setLimit(unix.RLIMIT_CORE, 0, 0)
	for _, what := range []int{unix.RLIMIT_FSIZE, unix.RLIMIT_CPU, unix.RLIMIT_AS, unix.RLIMIT_DATA, unix.RLIMIT_SIGPENDING} {
		setLimit(what, free, free)
	}
	setLimit(unix.RLIMIT_STACK, 8<<20, free)
	setLimit(unix.RLIMIT_NOFILE, 256, 4096)
}

// resetScheduling undoes priorities with which a caller would have every thread hardly ever run, locks held meanwhile. Where root
// may not do this (a container without CAP_SYS_NICE), those who wait for such a lock end its holder.
func resetScheduling() {
	threads, _ := os.ReadDir("/proc/self/task")
	for _, thread := range threads {
		if id, err := strconv.Atoi(thread.Name()); err == nil {
			unix.SchedSetAttr(id, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}, 0) // nice 0 too
			unix.Syscall(unix.SYS_IOPRIO_SET, ioprioWhoProcess, uintptr(id), 0)                              // none: as nice says
		}
	}
}

// ioprioWhoProcess is IOPRIO_WHO_PROCESS of ioprio_set(2), which means a thread.
const ioprioWhoProcess = 1

// setLimit comes as near as possible: beyond the caller's hard limit only with CAP_SYS_RESOURCE, which many containers withhold.
func setLimit(what int, soft, hard uint64) {
	var old unix.Rlimit
	if unix.Setrlimit(what, &unix.Rlimit{Cur: soft, Max: hard}) == nil || unix.Getrlimit(what, &old) != nil {
		return
	}
	unix.Setrlimit(what, &unix.Rlimit{Cur: min(soft, old.Max), Max: min(hard, old.Max)})
}
