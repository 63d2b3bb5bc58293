package main

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// limits are the program's, regardless of those of the login. Processes are counted for the whole
// account, which latchkey-twilio uses too.
var limits = map[int]uint64{
	unix.RLIMIT_CORE: 0, unix.RLIMIT_CPU: 10, unix.RLIMIT_FSIZE: 16 << 20,
	unix.RLIMIT_NOFILE: 256, unix.RLIMIT_NPROC: 512,
}

// harden controls what the program inherits: no descriptor, no way to more rights (a set-user-ID
// program starts without its owner's), and this process as the parent of everything that it leaves
// behind.
func harden() error {
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return os.NewSyscallError("prctl", err)
	}
	unix.Umask(0o077)
	for what, most := range limits {
		limit(what, most)
	}
	return closeOnExec()
}

// limit lowers a limit, and raises a lower one where that is allowed.
func limit(what int, most uint64) {
	if unix.Setrlimit(what, &unix.Rlimit{Cur: most, Max: most}) == nil {
		return
	}
	var now unix.Rlimit
	if unix.Getrlimit(what, &now) == nil {
		now.Max = min(now.Max, most)
		now.Cur = now.Max
		unix.Setrlimit(what, &now)
	}
}

// closeOnExec keeps the caller's open files from the program.
func closeOnExec() error {
	open, err := os.ReadDir("/proc/self/fd")
	for _, entry := range open {
		if fd, err := strconv.Atoi(entry.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return err
}
