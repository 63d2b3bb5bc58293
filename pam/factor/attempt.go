package factor

import (
	"net/netip"
	"slices"
	"time"

	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/state"
)

// attempt is a guess as the state keeps it for its user to read.
func (g Guess) attempt(m Match) state.Attempt {
	a := state.Attempt{At: g.At, From: g.From, Service: g.Service, Method: m.Method}
	if m.Device != nil {
		a.Device = m.Device.ID
	}
	return a
}

// approved is the attempt that Twilio has approved a code of.
func (m Match) approved(p *state.Pending, now time.Time) state.Attempt {
	a := m.guess.attempt(m)
	a.At, a.Method = now, method.SMS
	if p != nil {
		a.Device = p.Device
		if p.Voice {
			a.Method = method.Call
		}
	}
	return a
}

// takeBack takes back a guess that was charged, and with it that it was denied.
func (m Match) takeBack(st *state.State, limits limit.Guesses) {
	limits.TakeBack(st, m.charged)
	if st.Denied.At.Unix() == m.charged.Unix() {
		st.Denied = m.denied
	}
}

// LetIn notes that a user was let in, and from which network.
func LetIn(st *state.State, a state.Attempt) {
	st.Accepted = a
	came := state.Network{Prefix: state.NetworkOf(a.From), Seen: a.At}
	if !came.Prefix.IsValid() {
		return
	}
	st.Networks = slices.DeleteFunc(st.Networks, came.Same)
	if len(st.Networks) == state.MaxNetworks {
		oldest := slices.MinFunc(st.Networks,
			func(a, b state.Network) int { return a.Seen.Compare(b.Seen) })
		st.Networks = slices.DeleteFunc(st.Networks, oldest.Same)
	}
	st.Networks = append(st.Networks, came)
}

// NewNetwork reports whether the user was not let in from the network of an address before. An
// address that is not known is in none.
func NewNetwork(st *state.State, from netip.Addr) bool {
	came := state.Network{Prefix: state.NetworkOf(from)}
	return came.Prefix.IsValid() && !slices.ContainsFunc(st.Networks, came.Same)
}
