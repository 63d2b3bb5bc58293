package factor

import (
	"fmt"
	"net/netip"
	"time"

	"latchkey/pam/factor/normalize"
	"latchkey/pam/factor/oath"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Result is what became of a code.
type Result int

// The zero value is not a success.
const (
	Wrong      Result = iota
	Impossible        // not compared: nothing that could let the user in has codes like this
	// it was this device's code, but its time step or an earlier one was accepted before
	Replayed
	Locked // not compared: too many guesses
	// no code known here, charged as a guess: Twilio has to say whether it is one that was sent
	AskTwilio
	Accepted
)

// Guess is an answer to a prompt for a code.
type Guess struct {
	Code        string // as normalize.AnyCode passes it
	At          time.Time
	Service     string                     // where it was made, for the user to read
	From        netip.Addr                 // the zero Addr: not known
	Accepts     func(method.Method) bool   // whose codes may be used; nil: nothing's but root's
	AcceptsSent func(p state.Pending) bool // which codes that were sent may be used; nil: none
}

// Match is a result, and whose code it was: a device's, or (without a device) what Method says. A
// code that was not accepted may have neither.
type Match struct {
	Result  Result
	Method  method.Method // the device's type, RecoveryCode or Bypass
	Device  *record.Device
	Refused state.Refused // the wrong guesses before this one
	// NewNetwork: the user was never let in from the network that this guess came from.
	NewNetwork bool
	Lockout    limit.Lockout // as it is after this guess
	// with AskTwilio: what to compare the code with, in this order, until it is approved
	Checks []Check

	charged  time.Time     // when the guess was charged
	compared bool          // with something that is known here
	guess    Guess         // without its code
	denied   state.Attempt // the last one that was denied before this guess
}

// Verify compares a guess with the user's devices and recovery codes, and with a code that root
// gave out. It uses up what it accepts and charges what is wrong, and has either on the disk,
// flushed once, before it returns: nothing that a guess led to can be seen before it counts. An
// error means that nothing may be accepted, and matches ErrState.
//
// A replayed code costs nothing: people who type it have seen the device's display, and learn
// nothing.
func (a *Account) Verify(g Guess, limits limit.Guesses) (Match, error) {
	lockout, err := a.Lockout(g.At, limits)
	if err != nil || lockout.Locked() {
		return Match{Result: Locked, Lockout: lockout}, err
	}
	m, err := a.compare(g)
	if err != nil {
		return Match{}, err
	}
	st := &a.State.State
	m.Refused, m.NewNetwork = st.Refused, NewNetwork(st, g.From)
	switch m.Result {
	case Accepted:
		limits.Settle(st, g.At)
		limit.Accept(st)
		LetIn(st, g.attempt(m))
	case Wrong:
		if m = a.unmatched(m, g); m.Result == Impossible {
			return m, nil
		}
		m.charged, m.denied, m.guess = g.At, st.Denied, g
		m.guess.Code = ""
		limits.Charge(st, g.At, g.From)
		st.Denied = g.attempt(m)
		m.Lockout = limits.Lockout(st, g.At)
	default:
		return m, nil
	}
	if err := a.commit(); err != nil {
		return Match{}, err
	}
	return m, nil
}

// unmatched decides what a code is that is not known here: one for Twilio, a wrong one, or none at
// all.
func (a *Account) unmatched(m Match, g Guess) Match {
	m.Checks = a.reserveChecks(g)
	switch {
	case len(m.Checks) > 0:
		m.Result = AskTwilio
	case !m.compared:
		m.Result = Impossible
	}
	return m
}

func (g Guess) accepts(m method.Method) bool { return g.Accepts != nil && g.Accepts(m) }

// compare finds whose code it is, and uses it up in memory. A code that was compared with nothing
// that could let the user in was no guess.
func (a *Account) compare(g Guess) (Match, error) {
	m, err := a.compareDevices(g)
	for _, compare := range []func(Guess) (Match, error){a.compareRecovery, a.compareBypass} {
		if err != nil || m.Result != Wrong {
			return m, err
		}
		before := m.compared
		m, err = compare(g)
		m.compared = m.compared || before
	}
	return m, err
}

// Lockout returns the account's lock. One from the future (the clock was set back) begins now,
// durably, so that it ends limits.Lock after it was first seen, not when the clock is back where
// it was. The error matches ErrState.
func (a *Account) Lockout(now time.Time, limits limit.Guesses) (limit.Lockout, error) {
	st := &a.State.State
	if st.Locked.After(now) {
		st.Locked = now
		if err := a.commit(); err != nil {
			return limit.Lockout{}, err
		}
	}
	return limits.Lockout(st, now), nil
}

// compareDevices looks at every device, so that its duration does not reveal which one matched.
func (a *Account) compareDevices(g Guess) (m Match, err error) {
	var counter uint64
	for i := range a.Record.Devices {
		d := &a.Record.Devices[i]
		used := a.State.Device(d.ID)
		if used == nil {
			return Match{}, fmt.Errorf("%w: it does not know the device %q", ErrState, d.Label)
		}
		if d.Digits != len(g.Code) || !normalize.IsDigits(g.Code) || !g.accepts(d.Type) {
			continue
		}
		m.compared = true
		result, next, err := compareDevice(d, used, g.Code, g.At)
		if err != nil {
			return Match{}, err
		}
		if result > m.Result {
			m.Result, m.Method, m.Device, counter = result, d.Type, d, next
		}
	}
	if m.Result == Accepted {
		used := a.State.Device(m.Device.ID)
		used.Counter, used.Used, used.Resync = counter, g.At, 0
	}
	return m, nil
}

// compareDevice compares code with one device: the result is Wrong, Replayed or Accepted.
func compareDevice(d *record.Device, used *state.Device, code string, now time.Time) (Result,
	uint64, error) {
	at, counter, err := oath.Compare(d, used, code, now)
	switch {
	case err != nil:
		return Wrong, 0, err
	case at == oath.Current:
		return Accepted, counter, nil
	case at == oath.Past:
		return Replayed, 0, nil
	}
	return Wrong, 0, nil
}
