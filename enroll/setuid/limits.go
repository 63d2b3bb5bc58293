package setuid

import "golang.org/x/sys/unix"

// resetLimits undoes limits that would break a write in the middle or let C code run off its
// stack, and forbids core files, which would hold secrets. Where raising them is not permitted,
// a write that fails leaves the old file as it was.
func resetLimits() {
	const free = unix.RLIM_INFINITY
	setLimit(unix.RLIMIT_CORE, 0, 0)
	for _, what := range []int{
		unix.RLIMIT_FSIZE, unix.RLIMIT_CPU, unix.RLIMIT_AS, unix.RLIMIT_DATA,
		unix.RLIMIT_SIGPENDING,
	} {
		setLimit(what, free, free)
	}
	setLimit(unix.RLIMIT_STACK, 8<<20, free)
	setLimit(unix.RLIMIT_NOFILE, 256, 4096)
}

// setLimit comes as near as possible: a limit beyond the caller's hard one takes CAP_SYS_RESOURCE,
// which many containers withhold.
func setLimit(what int, soft, hard uint64) {
	var old unix.Rlimit
	wanted := unix.Rlimit{Cur: soft, Max: hard}
	if unix.Setrlimit(what, &wanted) == nil || unix.Getrlimit(what, &old) != nil {
		return
	}
	unix.Setrlimit(what, &unix.Rlimit{Cur: min(soft, old.Max), Max: min(hard, old.Max)})
}
