package limit_test

import (
	"testing"
	"time"

	"latchkey/pam/limit"
	"latchkey/pam/state"
)

var twice = limit.Rate{Count: 2, Window: time.Hour}

func TestNextSendWaitsUntilTheWindowHasRoom(t *testing.T) {
	at := func(seconds int, count uint32) state.Send {
		return state.Send{At: after(seconds),
			Count: count}
	}
	for name, c := range map[string]struct {
		sends []state.Send
		now   int
		want  time.Duration
	}{
		"none":         {nil, 0, 0},
		"one":          {[]state.Send{at(0, 1)}, 1, 0},
		"two":          {[]state.Send{at(0, 1), at(60, 1)}, 120, 58 * time.Minute},
		"two together": {[]state.Send{at(0, 2)}, 60, 59 * time.Minute},
		"three": {[]state.Send{at(0, 1), at(60, 1), at(90, 1)}, 120,
			59 * time.Minute},
		"two and one, later": {[]state.Send{at(0, 2), at(90, 1)}, 120, 58 * time.Minute},
		"one and two, later": {[]state.Send{at(0, 1), at(90, 2)}, 120,
			59*time.Minute + 30*time.Second},
		"two, one just too old": {[]state.Send{at(-3600, 1), at(0, 1)}, 0, 0},
	} {
		if got := twice.WaitToSend(c.sends, after(c.now)); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestSettlingForgetsSendsOutsideTheWindowAndMovesThoseFromTheFuture(t *testing.T) {
	st := &state.State{Sends: []state.Send{{At: after(-3600), Count: 1},
		{At: after(-3599), Count: 1}}}
	if twice.SettleSends(st, noon) || len(st.Sends) != 1 || !st.Sends[0].At.Equal(after(-3599)) {
		t.Errorf("got %v, want the second alone", st.Sends)
	}
	st.Sends = append(st.Sends, state.Send{At: after(1), Count: 3})
	if !twice.SettleSends(st, noon) || !st.Sends[1].At.Equal(noon) || st.Sends[1].Count != 3 {
		t.Errorf("got %v, want the last at noon", st.Sends)
	}
}

// A window of 63 minutes has parts of one minute.
func TestSendsInOnePartOfTheWindowAreCountedTogether(t *testing.T) {
	r := limit.Rate{Count: 1000, Window: (state.MaxSends - 1) * time.Minute}
	begin := noon.Truncate(time.Minute)
	st := &state.State{}
	r.CountSend(st, begin)
	r.CountSend(st, begin.Add(59*time.Second))
	r.CountSend(st, begin.Add(60*time.Second))
	if len(st.Sends) != 2 || st.Sends[0].Count != 2 || st.Sends[1].Count != 1 ||
		!st.Sends[0].At.Equal(begin.Add(59*time.Second)) {
		t.Errorf("got %v, want two and one", st.Sends)
	}
	for m := range 200 {
		r.CountSend(st, begin.Add(time.Duration(m)*time.Minute))
	}
	if len(st.Sends) != state.MaxSends {
		t.Errorf("got %d parts, want %d", len(st.Sends), state.MaxSends)
	}
	quick := limit.Rate{Count: 5, Window: time.Second}
	st = &state.State{}
	quick.CountSend(st, begin)
	quick.CountSend(st, begin.Add(999*time.Millisecond))
	quick.CountSend(st, begin.Add(time.Second))
	if len(st.Sends) != 2 {
		t.Errorf("a short window: got %v, want parts of a second", st.Sends)
	}
}
