package safefile

import (
	"os"
	"time"
)

// The times of a watch, for tests that give it the time.
const (
	FileLockTime = fileLockTime
	DirLockTime  = dirLockTime
	Glance       = glance
	Busy         = busy
)

// Watch is the watch of a waiter for the lock of f.
func Watch(f *os.File, patient time.Duration, ended func(Holder)) *watch {
	return &watch{fd: int(f.Fd()), patient: patient, ended: ended}
}

// Look is look.
func (w *watch) Look(now time.Time) bool { return w.look(now) }

// Progresses is progresses for a holder that has used this much of a processor in that time.
func (w *watch) Progresses(cpu, elapsed time.Duration, disk bool) bool {
	began := time.Unix(1, 0)
	before := sight{Holder: Holder{CPU: time.Hour}, since: began}
	return w.progresses(before, Holder{CPU: time.Hour + cpu, Disk: disk}, began.Add(elapsed))
}
