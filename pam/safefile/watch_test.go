package safefile_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

// start is when a watch begins in these tests, which give it the time.
var start = time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)

// watched is a watch of the lock of a file that a process holds, and what it has ended.
func watched(t *testing.T, cmd func(path string) int, patient time.Duration) (
	look func(after time.Duration) bool, ended *[]int) {
	t.Helper()
	dir, file := place(t)
	cmd(file)
	ended = new([]int)
	w := safefile.Watch(opened(t, dir), patient, func(h safefile.Holder) {
		*ended = append(*ended, h.PID)
	})
	return func(after time.Duration) bool { return w.Look(start.Add(after)) }, ended
}

func TestHolderIsEndedOnceItsTimeIsOverAndNotBefore(t *testing.T) {
	testroot.NeedRoot(t, "only root ends others")
	for name, patient := range map[string]time.Duration{
		"a file's": safefile.FileLockTime, "a directory's": safefile.DirLockTime,
	} {
		var pid int
		look, ended := watched(t, func(path string) int {
			pid = holding(t, ours(path, "alone")).Process.Pid
			return pid
		}, patient)
		const first = safefile.Glance
		for _, after := range []time.Duration{
			0, first - 1, first, first + patient - 1, first + patient + safefile.Glance - 2,
		} {
			if look(after) {
				t.Errorf("%s lock, after %v: ended, want it to go on", name, after)
			}
		}
		// A thread that waits for a disk at one of these looks has its time begin again.
		after := first + patient + safefile.Glance - 1
		for end := after + 5*patient; !look(after); after += safefile.Glance {
			if after > end {
				t.Fatalf("%s lock: not ended, want it ended", name)
			}
		}
		if len(*ended) != 1 || (*ended)[0] != pid {
			t.Errorf("%s lock: ended %d, want %d", name, *ended, pid)
		}
	}
}

func TestWaiterThatMayNotEndOthersLeavesTheHolder(t *testing.T) {
	dir, file := place(t)
	pid := holding(t, ours(file, "alone")).Process.Pid
	w := safefile.Watch(opened(t, dir), safefile.FileLockTime, nil)
	for _, after := range []time.Duration{0, time.Second, time.Minute, time.Hour} {
		if w.Look(start.Add(after)) {
			t.Errorf("after %v: ended, want it to go on", after)
		}
	}
	testroot.Must(t, unix.Kill(pid, 0))
}

func TestWorkCountsForADirectoryAloneAndADiskForBoth(t *testing.T) {
	dir, _ := place(t)
	file := safefile.Watch(opened(t, dir), safefile.FileLockTime, nil)
	directory := safefile.Watch(opened(t, dir), safefile.DirLockTime, nil)
	const long = safefile.DirLockTime
	for _, c := range []struct {
		name         string
		cpu, elapsed time.Duration
		disk         bool
		file, folder bool
	}{
		{"nothing", 0, long, false, false, false},
		{"just enough work", long / safefile.Busy, long, false, false, true},
		{"too little work", long/safefile.Busy - 1, long, false, false, false},
		{"much work, too early to say", long, long - 1, false, false, false},
		{"a disk", 0, long, true, true, true},
		{"a disk, early", 0, 0, true, true, true},
	} {
		if got := file.Progresses(c.cpu, c.elapsed, c.disk); got != c.file {
			t.Errorf("%s: a file's holder: got %v, want %v", c.name, got, c.file)
		}
		if got := directory.Progresses(c.cpu, c.elapsed, c.disk); got != c.folder {
			t.Errorf("%s: a directory's holder: got %v, want %v", c.name, got, c.folder)
		}
	}
}

// booted is the time since the machine was started.
func booted(t *testing.T) time.Duration {
	t.Helper()
	var now unix.Timespec
	testroot.Must(t, unix.ClockGettime(unix.CLOCK_BOOTTIME, &now))
	return time.Duration(now.Nano())
}

func TestHolderSaysWhatTheKernelDoes(t *testing.T) {
	dir, file := place(t)
	const tick = 10 * time.Millisecond
	earliest := booted(t) - tick
	mine := holding(t, ours(file, "alone")).Process.Pid
	latest := booted(t)
	self, err := os.Executable()
	testroot.Must(t, err)
	all := safefile.HoldersBelow(dir)
	// It may still wait for a page of its program.
	for tries := 0; (len(all) == 0 || all[0].Disk) && tries < 100; tries++ {
		all = safefile.HoldersBelow(dir)
	}
	if len(all) != 1 {
		t.Fatalf("got %v, want one holder", all)
	}
	h := all[0]
	if h.PID != mine || h.Program != self || !h.Ours || int(h.UID) != os.Getuid() ||
		h.File != file || h.Disk {
		t.Errorf("got %+v, want process %d of %s", h, mine, self)
	}
	if h.Started < earliest || h.Started > latest {
		t.Errorf("got that it started at %v, want from %v to %v", h.Started, earliest, latest)
	}
	if h.CPU < 0 || h.CPU > latest-earliest+tick {
		t.Errorf("got that it has used %v of %v", h.CPU, latest-earliest)
	}
}

func TestHolderOfAFileWithASimilarNameIsNotBelowADirectory(t *testing.T) {
	dir, _ := place(t)
	other := dir + "2"
	testroot.Must(t, os.Mkdir(other, 0o700))
	file := filepath.Join(other, "file")
	testroot.Write(t, file, nil)
	holding(t, ours(file, "alone"))
	holding(t, stranger(other))
	if got := safefile.HoldersBelow(dir); got != nil {
		t.Errorf("got %v, want none", got)
	}
}

// holds reports whether a process holds a lock below dir. The kernel may not show it at once.
func holds(dir string, pid int) bool {
	for range 100 {
		for _, h := range safefile.HoldersBelow(dir) {
			if h.PID == pid {
				return true
			}
		}
	}
	return false
}

func TestEndOldEndsLatchkeysOwnProcessesThatAreOld(t *testing.T) {
	testroot.NeedRoot(t, "only root ends others")
	dir, file := place(t)
	other := filepath.Join(dir, "other")
	testroot.Write(t, other, nil)
	own := holding(t, ours(file, "alone"))
	foreign := holding(t, stranger(other)).Process.Pid
	safefile.EndOld(dir, time.Hour)
	if !holds(dir, own.Process.Pid) {
		t.Error("a process that is not old was ended")
	}
	testroot.Must(t, unix.Kill(foreign, 0))
	// One call may miss a lock while others come and go.
	for range 100 {
		safefile.EndOld(dir, 0)
	}
	if state, err := own.Process.Wait(); err != nil || state.Success() {
		t.Errorf("got %v, %v; want latchkey's own killed", state, err)
	}
	testroot.Must(t, unix.Kill(foreign, 0))
}
