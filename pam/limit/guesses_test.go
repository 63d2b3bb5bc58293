package limit_test

import (
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"latchkey/pam/limit"
	"latchkey/pam/state"
)

var (
	noon  = time.Unix(1800000000, 0)
	three = limit.Guesses{
		Failures:    limit.Rate{Count: 3, Window: time.Minute},
		Lock:        15 * time.Minute,
		Consecutive: 5,
	}
	none = netip.Addr{}
)

// after returns a time that many seconds after noon.
func after(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

// charged is a state with wrong guesses at these seconds after noon.
func charged(seconds ...int) *state.State {
	st := &state.State{}
	for _, s := range seconds {
		three.Charge(st, after(s), none)
	}
	return st
}

func TestLockBeginsWithTheLastGuessThatTheLimitAllowsAndEndsByItself(t *testing.T) {
	for name, c := range map[string]struct {
		st   *state.State
		now  time.Time
		want limit.Lockout
	}{
		"no guess":    {charged(), noon, limit.Lockout{}},
		"two guesses": {charged(0, 1), after(1), limit.Lockout{}},
		"three guesses": {charged(0, 1, 2), after(2),
			limit.Lockout{Until: after(902)}},
		"just before the end": {charged(0, 1, 2), after(901),
			limit.Lockout{Until: after(902)}},
		"at the end": {charged(0, 1, 2), after(902), limit.Lockout{}},
		"the first just in the window": {charged(0, 1, 59), after(59),
			limit.Lockout{Until: after(959)}},
		"the first just out of it": {charged(0, 1, 60), after(60), limit.Lockout{}},
		"the clock was set back": {charged(0, 1, 2), after(-3600),
			limit.Lockout{Until: after(-2700)}},
		"four in a row, however slowly": {charged(0, 100, 200, 300), after(300),
			limit.Lockout{}},
		"five in a row, however slowly": {charged(0, 100, 200, 300, 400), after(400),
			limit.Lockout{UntilRoot: true}},
		"five in a row, a year afterward": {charged(0, 100, 200, 300, 400), after(1 << 25),
			limit.Lockout{UntilRoot: true}},
	} {
		if got := three.Lockout(c.st, c.now); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		if got := three.Lockout(c.st, c.now).Locked(); got != (c.want != limit.Lockout{}) {
			t.Errorf("%s: got locked %v", name, got)
		}
	}
	off := three
	off.Consecutive = 0
	if got := off.Lockout(charged(0, 100, 200, 300, 400), after(400)); got.Locked() {
		t.Errorf("no number in a row locks: got %s", got)
	}
}

func TestGuessesInAWindowAreCountedAndTheLatestIsKept(t *testing.T) {
	st := &state.State{}
	from := netip.MustParseAddr("192.0.2.7")
	for s := range 3 {
		three.Charge(st, after(20*s), from)
	}
	if got := three.Count(st, after(60)); got != 2 {
		t.Errorf("at 60 s: got %d, want 2", got)
	}
	if got := three.Count(st, after(59)); got != 3 {
		t.Errorf("at 59 s: got %d, want 3", got)
	}
	if r := st.Refused; r.Count != 3 || !r.First.Equal(noon) || !r.Last.Equal(after(40)) ||
		r.From != from {
		t.Errorf("got %+v", r)
	}
	limit.Tell(st)
	if st.Refused.Told != 3 {
		t.Errorf("got %d told, want 3", st.Refused.Told)
	}
	limit.Accept(st)
	if st.Refused != (state.Refused{}) {
		t.Errorf("after a right code: got %+v, want none", st.Refused)
	}
}

func TestNumberOfGuessesInARowDoesNotOverflow(t *testing.T) {
	st := &state.State{Refused: state.Refused{Count: math.MaxUint32}}
	three.Charge(st, noon, none)
	if got := st.Refused.Count; got != math.MaxUint32 {
		t.Errorf("got %d, want %d", got, uint32(math.MaxUint32))
	}
}

func TestStateHoldsTheLatestFailuresWhereThereIsNoRoomForAll(t *testing.T) {
	many := limit.Guesses{Failures: limit.Rate{Count: 1000, Window: time.Hour}, Lock: time.Minute}
	st := &state.State{}
	for s := range state.MaxFailures + 1 {
		many.Charge(st, after(s), none)
	}
	if n := len(st.Failures); n != state.MaxFailures || !st.Failures[0].Equal(after(1)) {
		t.Errorf("got %d failures from %v on, want %d from %v on", n, st.Failures[0],
			state.MaxFailures, after(1))
	}
}

func TestSettlingEndsALockThatIsOverAndForgetsTheFailuresThatLedToIt(t *testing.T) {
	for at, want := range map[int]int{3: 3, 901: 0, 902: 0} {
		st := charged(0, 1, 2)
		three.Settle(st, after(at))
		if locked := !st.Locked.IsZero(); len(st.Failures) != want || locked != (at < 902) {
			t.Errorf("after %d s: got %d failures, locked %v; want %d", at, len(st.Failures),
				locked, want)
		}
	}
	st := charged(0, 1)
	three.Settle(st, after(-100))
	if want := []time.Time{after(-100), after(-100)}; !slices.Equal(st.Failures, want) {
		t.Errorf("the clock was set back: got %v, want %v", st.Failures, want)
	}
}

func TestTakingBackUndoesOneGuessAndTheLockThatItTook(t *testing.T) {
	for name, c := range map[string]struct {
		st       *state.State
		back     int
		failures []time.Time
		refused  uint32
		locked   bool
	}{
		"the only one":            {charged(5), 5, nil, 0, false},
		"the first of two":        {charged(0, 5), 0, []time.Time{after(5)}, 1, false},
		"the one that locked":     {charged(0, 1, 2), 2, []time.Time{noon, after(1)}, 2, false},
		"one that was forgotten":  {charged(0), -1, []time.Time{noon}, 1, false},
		"moved to an earlier one": {charged(0, 1), 30, []time.Time{after(1)}, 1, false},
	} {
		three.TakeBack(c.st, after(c.back))
		if !slices.Equal(c.st.Failures, c.failures) || c.st.Refused.Count != c.refused ||
			!c.st.Locked.IsZero() != c.locked {
			t.Errorf("%s: got %v, %d in a row, locked %v; want %v and %d", name, c.st.Failures,
				c.st.Refused.Count, c.st.Locked, c.failures, c.refused)
		}
	}
	st := charged(0, 1, 2)
	st.Failures = append(st.Failures, after(3)) // in parallel, before the lock
	st.Refused.Count++
	three.TakeBack(st, after(3))
	if st.Locked.IsZero() {
		t.Error("got the lock ended, which others took")
	}
}

func TestTakingBackAGuessAfterARightCodeLeavesNoneInARow(t *testing.T) {
	st := charged(0)
	limit.Accept(st)
	three.TakeBack(st, noon)
	if st.Refused != (state.Refused{}) || len(st.Failures) != 0 {
		t.Errorf("got %+v and %v, want none", st.Refused, st.Failures)
	}
}
