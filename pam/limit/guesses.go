package limit

import (
	"math"
	"net/netip"
	"slices"
	"time"

	"latchkey/pam/state"
)

// Guesses bound how often codes can be guessed (NIST SP 800-63B section 5.2.2, rate limiting).
type Guesses struct {
	Failures Rate          // so many wrong guesses within a time …
	Lock     time.Duration // … lock the second factor for this long
	// Consecutive is how many in a row, however slowly, lock it until root unlocks; 0: no number
	// does.
	Consecutive int
}

// Lockout is how long a second factor is locked. The zero Lockout is no lock.
type Lockout struct {
	Until     time.Time
	UntilRoot bool // no time ends it: `enroll unlock` does
}

// Locked reports whether there is a lock.
func (l Lockout) Locked() bool { return l != Lockout{} }

// String says how it ends, for the log.
func (l Lockout) String() string {
	switch {
	case l.UntilRoot:
		return "until root unlocks it"
	case l.Locked():
		return "until " + l.Until.UTC().Format(time.RFC3339)
	}
	return "not locked"
}

// Lockout returns the lock of st. A lock from the future (the clock was set back) counts as begun
// now.
func (g Guesses) Lockout(st *state.State, now time.Time) Lockout {
	if g.Consecutive > 0 && st.Refused.Count >= uint32(g.Consecutive) {
		return Lockout{UntilRoot: true}
	}
	if st.Locked.IsZero() {
		return Lockout{}
	}
	begun := st.Locked
	if begun.After(now) {
		begun = now
	}
	if end := begun.Add(g.Lock); end.After(now) {
		return Lockout{Until: end}
	}
	return Lockout{}
}

// Settle moves times that a clock set back has put into the future to now, forgets failures older
// than the window, and ends a lock that is over, with the failures that led to it. Its changes
// become durable with the next commit.
func (g Guesses) Settle(st *state.State, now time.Time) {
	if !st.Locked.IsZero() && !g.Lockout(st, now).Locked() {
		st.Locked, st.Failures = time.Time{}, nil
	}
	st.See(now)
	kept := st.Failures[:0]
	for _, at := range st.Failures {
		if at.After(now) {
			at = now
		}
		if now.Sub(at) < g.Failures.Window {
			kept = append(kept, at)
		}
	}
	st.Failures = kept
}

// Charge counts one wrong guess, and the lock if it is the last one that the limit allows; then no
// computer is trusted any longer.
func (g Guesses) Charge(st *state.State, now time.Time, from netip.Addr) {
	g.Settle(st, now)
	if len(st.Failures) == state.MaxFailures {
		st.Failures = st.Failures[1:]
	}
	st.Failures = append(st.Failures, now)
	if len(st.Failures) >= g.Failures.Count {
		st.Locked = now
	}
	r := &st.Refused
	if r.Count == 0 {
		r.First = now
	}
	if r.Count < math.MaxUint32 {
		r.Count++
	}
	r.Last, r.From = now, from
	if g.Lockout(st, now).Locked() {
		r.Locked = true
		st.Trusts = nil // someone may be guessing at the owner's computer
	}
}

// TakeBack takes back what Charge counted at a time, and the lock if that guess caused it. Guesses
// charged since stay.
func (g Guesses) TakeBack(st *state.State, at time.Time) {
	i := charged(st.Failures, at)
	if i < 0 {
		return // forgotten since
	}
	st.Failures = slices.Delete(st.Failures, i, i+1)
	if len(st.Failures) < g.Failures.Count && !st.Locked.IsZero() {
		st.Locked, st.Refused.Locked = time.Time{}, false
	}
	if st.Refused.Count > 0 {
		st.Refused.Count--
	}
	if st.Refused.Count == 0 {
		st.Refused = state.Refused{Locked: st.Refused.Locked}
	}
}

// charged returns the index of a failure that was charged at a time, or -1. If the clock was set
// back, Settle may have moved it to an earlier time, among others: then it is the oldest, so that
// no other one is forgotten too early.
func charged(failures []time.Time, at time.Time) int {
	same := func(t time.Time) bool { return t.Unix() == at.Unix() } // the state keeps seconds
	if i := slices.IndexFunc(failures, same); i >= 0 {
		return i
	}
	return slices.IndexFunc(failures, at.After)
}

// Accept notes that a guess was right, which ends the row of wrong ones before it.
func Accept(st *state.State) { st.Refused = state.Refused{} }

// Tell notes that the user is now told of the wrong codes counted so far. They still count.
func Tell(st *state.State) { st.Refused.Told = st.Refused.Count }

// Count returns the number of wrong guesses that count now.
func (g Guesses) Count(st *state.State, now time.Time) int {
	n := 0
	for _, at := range st.Failures {
		if now.Sub(at) < g.Failures.Window {
			n++
		}
	}
	return n
}
