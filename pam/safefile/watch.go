package safefile

import (
	"os"
	"time"
)

// How long a holder may make no progress before a waiter ends it. The lock of a file is held for
// milliseconds by design; that of a directory while many files are written, and its holder may
// itself have to wait until another process has been ended.
const (
	fileLockTime = 2 * time.Second
	dirLockTime  = 4 * time.Second
)

// glance is the time between looks at the holders of a lock; busy is the share of a processor (one
// in so many) that a holder at work uses.
const (
	glance = 250 * time.Millisecond
	busy   = 20
)

// watch is what a waiter has seen of the holders of a lock. Users who stop, freeze or starve their
// process (by a control group of their own, or idle priority) must not keep everyone from their
// second factor, and a kill at any instant leaves the old or the new state of a file.
type watch struct {
	fd      int
	patient time.Duration // fileLockTime or dirLockTime
	ended   func(Holder)
	next    time.Time // when to look again
	seen    map[int]sight
}

// sight is a holder as it was when it was last seen to begin or to make progress.
type sight struct {
	Holder
	since time.Time
}

// look looks at the holders, if it is time to, and ends those that make no progress. It reports
// whether it ended one.
func (w *watch) look(now time.Time) (ended bool) {
	if w.next.IsZero() {
		w.next = now.Add(glance)
	}
	if now.Before(w.next) {
		return false
	}
	w.next = now.Add(glance)
	before := w.seen
	w.seen = map[int]sight{}
	for _, h := range holdersOf(w.fd) {
		s, known := before[h.PID]
		if !known || s.Started != h.Started || w.progresses(s, h, now) {
			s = sight{Holder: h, since: now}
		}
		w.seen[h.PID] = s
		if now.Sub(s.since) >= w.patient && w.mayEnd(h) && h.end(w.fd) {
			w.ended(h)
			delete(w.seen, h.PID)
			ended = true
		}
	}
	return ended
}

// progresses reports whether a holder is at work. One that waits for a disk is: its lock ends with
// that wait, and no signal ends it sooner. Other work only counts where a lock may be held for
// long.
func (w *watch) progresses(s sight, h Holder, now time.Time) bool {
	worked := now.Sub(s.since) >= w.patient && (h.CPU-s.CPU)*busy >= now.Sub(s.since)
	return h.Disk || w.patient == dirLockTime && worked
}

func (w *watch) mayEnd(h Holder) bool { return w.ended != nil && h.Ours && os.Geteuid() == 0 }

// holders names the holders, for the error of a waiter that waited in vain.
func (w *watch) holders() (names string) {
	for _, h := range holdersOf(w.fd) {
		names += ": " + h.String()
	}
	return names
}
