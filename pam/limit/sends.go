package limit

import (
	"time"

	"latchkey/pam/state"
)

// Sends bound how many codes are sent to phones: each costs money, and may wake someone.
type Sends struct {
	User, Host Rate
	// there is no wait after the last one, which Twilio refused to send; it still counts
	AtOnce bool
}

// SettleSends forgets sends older than the window, moves those from the future to now, and reports
// whether there were any.
func (r Rate) SettleSends(st *state.State, now time.Time) (setBack bool) {
	kept := st.Sends[:0]
	for _, s := range st.Sends {
		if s.At.After(now) {
			s.At, setBack = now, true
		}
		if now.Sub(s.At) < r.Window {
			kept = append(kept, s)
		}
	}
	st.Sends = kept
	return setBack
}

// WaitToSend returns the time until the oldest send of a full window is forgotten; 0: the window
// is not full.
func (r Rate) WaitToSend(sends []state.Send, now time.Time) time.Duration {
	total := 0
	for _, s := range sends {
		total += int(s.Count)
	}
	until := now
	for _, s := range sends {
		if total < r.Count {
			break
		}
		total -= int(s.Count)
		if end := s.At.Add(r.Window); end.After(until) {
			until = end
		}
	}
	return max(until.Sub(now), 0)
}

// CountSend adds a send. The window is cut into as many parts as a state has room for; sends in
// one part are counted together, with the time of the latest, so that any number fits and none
// is forgotten too early.
func (r Rate) CountSend(st *state.State, now time.Time) {
	part := max(r.Window/(state.MaxSends-1), time.Second)
	if n := len(st.Sends); n > 0 {
		last := &st.Sends[n-1]
		if n == state.MaxSends || last.At.Truncate(part).Equal(now.Truncate(part)) {
			last.At, last.Count = now, last.Count+1
			return
		}
	}
	st.Sends = append(st.Sends, state.Send{At: now, Count: 1})
}
