package setuid

import (
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// ioprioWhoProcess is IOPRIO_WHO_PROCESS of ioprio_set(2), which means a thread.
const ioprioWhoProcess = 1

// resetScheduling undoes priorities with which a caller could have every thread hardly ever run
// while it holds a lock. Where root may not do this (a container without CAP_SYS_NICE), programs
// that wait for such a lock end its holder.
func resetScheduling() {
	threads, _ := os.ReadDir("/proc/self/task")
	for _, thread := range threads {
		id, err := strconv.Atoi(thread.Name())
		if err != nil {
			continue
		}
		// Nice 0 is in it, too.
		normal := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL}
		unix.SchedSetAttr(id, &normal, 0)
		unix.Syscall(unix.SYS_IOPRIO_SET, ioprioWhoProcess, uintptr(id), 0) // none: as nice says
	}
}
