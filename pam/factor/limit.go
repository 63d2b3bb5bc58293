package factor

import (
	"time"

	"latchkey/pam/state"
)

// Limits bound how often codes can be guessed.
type Limits struct {
	Failures int           // so many wrong guesses …
	Window   time.Duration // … within this time …
	Lock     time.Duration // … lock the second factor for this long
}

// LockedUntil tells when the lock of st ends; zero if there is none. A lock from the future (the clock was set
// back) counts as begun now.
func (l Limits) LockedUntil(st *state.State, now time.Time) time.Time {
	if st.Locked.IsZero() {
		return time.Time{}
	}
	begun := st.Locked
	if begun.After(now) {
		begun = now
	}
	if end := begun.Add(l.Lock); end.After(now) {
		return end
	}
	return time.Time{}
}

// settle takes times that the clock, set back, has put into the future as now, forgets failures older than the window
// and ends a lock that is over, with the failures that led to it. What it changes becomes durable with the next commit.
func (l Limits) settle(st *state.State, now time.Time) {
	if !st.Locked.IsZero() && l.LockedUntil(st, now).IsZero() {
		st.Locked, st.Failures = time.Time{}, nil
	}
	kept := st.Failures[:0]
	for _, at := range st.Failures {
		if at.After(now) {
			at = now
		}
		if now.Sub(at) < l.Window {
			kept = append(kept, at)
		}
	}
	st.Failures = kept
}

// charge books one guess, and the lock if it is the last one that the limit allows.
func (l Limits) charge(st *state.State, now time.Time) {
	if len(st.Failures) == state.MaxFailures {
		st.Failures = st.Failures[1:]
	}
	st.Failures = append(st.Failures, now)
	if len(st.Failures) >= l.Failures {
		st.Locked = now
	}
}

// refund takes the latest charge back, and the lock if that was what it took: the guess was right.
func (l Limits) refund(st *state.State) {
	if n := len(st.Failures); n > 0 {
		st.Failures = st.Failures[:n-1]
	}
	if len(st.Failures) < l.Failures {
		st.Locked = time.Time{}
	}
}

// Count is the number of wrong guesses that count now.
func (l Limits) Count(st *state.State, now time.Time) int {
	n := 0
	for _, at := range st.Failures {
		if now.Sub(at) < l.Window {
			n++
		}
	}
	return n
}
