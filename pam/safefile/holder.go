package safefile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// programs are latchkey's own programs that lock files, at the paths where make install puts them;
// -ldflags -X sets others.
var programs = "/usr/libexec/latchkey/latchkey-login /usr/libexec/latchkey/latchkey-enroll " +
	"/usr/bin/enroll"

// Holder is a process that holds a lock.
type Holder struct {
	PID     int
	Program string        // path of its executable
	Ours    bool          // Program is one of latchkey's
	UID     uint32        // its real one
	File    string        // what it has locked
	Started time.Duration // since the machine was started
	CPU     time.Duration // used so far
	Disk    bool          // one of its threads waits for a disk (state D of ps(1))
}

// String names the process for an administrator.
func (h Holder) String() string {
	return fmt.Sprintf("process %d (%s, uid %d)", h.PID, h.Program, h.UID)
}

// HoldersBelow lists the processes that hold a lock (flock(2)) on dir or on a file in it, as far
// as this process may see them.
func HoldersBelow(dir string) []Holder {
	return holders(func(file string) bool {
		return file == dir || strings.HasPrefix(file, dir+"/")
	})
}

// holdersOf lists the processes other than this one that hold a lock on the file that fd is open
// on.
func holdersOf(fd int) []Holder {
	var want unix.Stat_t
	if unix.Fstat(fd, &want) != nil {
		return nil
	}
	return holders(func(file string) bool { return is(file, &want) })
}

// is reports whether path leads to the file that st describes. On some file systems the numbers in
// /proc/locks do not say so.
func is(path string, st *unix.Stat_t) bool {
	var there unix.Stat_t
	return unix.Stat(path, &there) == nil && there.Dev == st.Dev && there.Ino == st.Ino
}

func holders(wanted func(file string) bool) (all []Holder) {
	for _, pid := range lockers() {
		if h, ok := holder(pid, wanted); ok {
			all = append(all, h)
		}
	}
	return all
}

// lockers returns the processes that hold any lock of flock(2), according to /proc/locks
// (proc_locks(5)).
func lockers() (pids []int) {
	text, _ := os.ReadFile("/proc/locks")
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 5 || fields[1] != "FLOCK" { // "->" marks a process that waits
			continue
		}
		pid, err := strconv.Atoi(fields[4])
		if err == nil && pid > 0 && pid != os.Getpid() && !slices.Contains(pids, pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// holder describes the process pid if it holds a lock on a wanted file right now.
func holder(pid int, wanted func(file string) bool) (h Holder, ok bool) {
	proc := "/proc/" + strconv.Itoa(pid)
	descriptors, _ := os.ReadDir(proc + "/fdinfo")
	for _, d := range descriptors {
		info, _ := os.ReadFile(proc + "/fdinfo/" + d.Name())
		if !bytes.Contains(info, []byte("FLOCK")) {
			continue
		}
		link := proc + "/fd/" + d.Name()
		if file, err := os.Readlink(link); err == nil && (wanted(file) || wanted(link)) {
			h = Holder{PID: pid, File: file}
			return h, h.look(proc)
		}
	}
	return h, false
}

// look fills in what /proc says about the process and reports whether the process exists.
func (h *Holder) look(proc string) bool {
	var st unix.Stat_t
	if unix.Stat(proc, &st) != nil {
		return false
	}
	h.UID = realUID(proc)
	program, _ := os.Readlink(proc + "/exe")
	h.Program = strings.TrimSuffix(program, " (deleted)") // replaced by a newer one meanwhile
	self, _ := os.Readlink("/proc/self/exe")
	h.Ours = h.Program != "" &&
		slices.Contains(append(strings.Fields(programs), strings.TrimSuffix(self, " (deleted)")),
			h.Program)
	stat, ok := statOf(proc)
	h.CPU, h.Started = ticks(stat[11])+ticks(stat[12]), ticks(stat[19])
	threads, _ := filepath.Glob(proc + "/task/*")
	for _, thread := range threads {
		of, _ := statOf(thread)
		h.Disk = h.Disk || of[0] == "D"
	}
	return ok
}

func realUID(proc string) (uid uint32) {
	status, _ := os.ReadFile(proc + "/status")
	_, ids, _ := strings.Cut(string(status), "\nUid:")
	fmt.Sscan(ids, &uid)
	return uid
}

// statOf returns the fields of proc_pid_stat(5) from the third (the state) on.
func statOf(proc string) (fields [20]string, ok bool) {
	text, err := os.ReadFile(proc + "/stat")
	after := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	ok = err == nil && copy(fields[:], after) == len(fields)
	return fields, ok
}

// ticks converts hundredths of a second, in which Linux reports times to programs.
func ticks(field string) time.Duration {
	n, _ := strconv.ParseInt(field, 10, 64)
	return time.Duration(n) * 10 * time.Millisecond
}

// end ends the holder of the lock on the file that fd is open on. It ends a process only after
// checking, through a descriptor that cannot refer to a later process with the same number, that
// it is the one that was watched, that it is one of latchkey's, and that it still holds that lock.
func (h Holder) end(fd int) bool {
	process, err := unix.PidfdOpen(h.PID, 0)
	if err != nil {
		return false
	}
	defer unix.Close(process)
	var want unix.Stat_t
	if unix.Fstat(fd, &want) != nil {
		return false
	}
	now, ok := holder(h.PID, func(file string) bool { return is(file, &want) })
	return ok && now.Ours && now.Started == h.Started &&
		unix.PidfdSendSignal(process, unix.SIGKILL, nil, 0) == nil
}

// EndOld ends those processes with this program that hold a lock below dir and have been running
// for longer than age. It is for locks whose holders end by themselves before that, unless they
// are stopped.
func EndOld(dir string, age time.Duration) {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &now) != nil {
		return
	}
	for _, h := range HoldersBelow(dir) {
		if !h.Ours || time.Duration(now.Nano())-h.Started < age {
			continue
		}
		if fd, err := openat(unix.AT_FDCWD, h.File, unix.O_RDONLY|unix.O_NOFOLLOW); err == nil {
			h.end(fd)
			unix.Close(fd)
		}
	}
}
