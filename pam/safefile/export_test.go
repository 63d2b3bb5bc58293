package safefile

import (
	"os"
	"time"
)

// The times of a watch, for tests that set the time.
const (
	FileLockTime = fileLockTime
	DirLockTime  = dirLockTime
	Glance       = glance
	Busy         = busy
)

// Watch returns the watch of a waiter for the lock of f.
func Watch(f *os.File, patient time.Duration, ended func(Holder)) *watch {
	return &watch{fd: int(f.Fd()), patient: patient, ended: ended}
}

// Look exports look.
func (w *watch) Look(now time.Time) bool { return w.look(now) }

// Progresses calls progresses for a holder that used this much CPU time in that time.
func (w *watch) Progresses(cpu, elapsed time.Duration, disk bool) bool {
	began := time.Unix(1, 0)
	before := sight{Holder: Holder{CPU: time.Hour}, since: began}
	return w.progresses(before, Holder{CPU: time.Hour + cpu, Disk: disk}, began.Add(elapsed))
}
