package factor

import (
	"errors"
	"fmt"
	"time"

	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Rate is so many events within a time.
type Rate struct {
	Count  int
	Window time.Duration
}

// SendLimits bound how many codes are sent to phones: each costs money, and wakes somebody.
type SendLimits struct {
	User, Host Rate
	AtOnce     bool // there is no wait after the last one, which Twilio refused to send; it still counts
}

// FirstWait is the time between the first code sent and the second; it doubles from there.
const FirstWait = 30 * time.Second

// HostName is the name of the file that counts for the whole host.
const HostName = "host"

// ErrNotYet says that a code may be sent, but later; it comes with the time to wait.
var ErrNotYet = errors.New("not yet")

// BookSend books one more code to be sent to the phone d of name, durably and before anything is
// sent, for the user and for the host. If a limit forbids it the error matches ErrNotYet and
// wait says how long; nothing is booked then. Other errors match those of Open, or ErrState.
func (k Keyring) BookSend(u record.User, id state.DeviceID, limits SendLimits, now time.Time) (wait time.Duration, err error) {
	account, err := k.Open(u)
	if err != nil {
		return 0, err
	}
	defer account.Close()
	if account.device(id) == nil {
		return 0, fmt.Errorf("%w: the phone was removed meanwhile", ErrRecord)
	}
	if wait, err = account.resendWait(id, now, limits.AtOnce); err != nil || wait > 0 {
		return wait, err
	}
	return k.Book(account.State, limits, now, Booking{Own: func() { account.booking(id, now) }})
}

// resendWait is how long the next send to a phone has to wait for the sake of the one before it:
// twice as long each time, as long as that one can be used. Without a verification that waits
// there is nothing to wait for.
func (a *Account) resendWait(id state.DeviceID, now time.Time, atOnce bool) (time.Duration, error) {
	p := a.latest(id)
	if p == nil || p.Over || age(*p, now) >= CodeLife {
		return 0, nil
	}
	if p.At.After(now) { // the clock was set back: it was sent now, durably, so that the wait ends
		p.At = now
		if err := a.commit(); err != nil {
			return 0, err
		}
	}
	if p.Checks >= maxChecks {
		return p.At.Add(CodeLife).Sub(now), fmt.Errorf("%w: the last code that was sent was compared with too many answers", ErrNotYet)
	}
	wait := p.At.Add(FirstWait << min(max(p.Sends, 1)-1, 20)).Sub(now)
	if atOnce || wait <= 0 {
		return 0, nil
	}
	return min(wait, CodeLife), fmt.Errorf("%w: a code was sent to this phone just now", ErrNotYet)
}

// Booking is what is kept with a send that is booked; nil: nothing.
type Booking struct {
	Own  func()                                                 // for the user
	Host func(host *state.File) (wait time.Duration, err error) // for the host, unless that must wait
}

// Book books a send for the user whose state own is, and for the host.
func (k Keyring) Book(own *state.File, limits SendLimits, now time.Time, also Booking) (wait time.Duration, err error) {
	if wait, err = pause(own, limits.User, now); err != nil {
		return 0, err
	} else if wait > 0 {
		return wait, fmt.Errorf("%w: too many codes were sent to this user", ErrNotYet)
	}
	// The user's file is always locked before the host's, so that two logins never wait for each
	// other.
	host, err := k.OpenHost()
	if err != nil {
		return 0, err
	}
	defer host.Close()
	if wait, err = pause(host, limits.Host, now); err != nil {
		return 0, err
	} else if wait > 0 {
		return wait, fmt.Errorf("%w: too many codes were sent from this host", ErrNotYet)
	}
	if also.Host != nil {
		if wait, err = also.Host(host); err != nil {
			return wait, err
		}
	}
	countSend(&host.State, limits.Host, now)
	if err := Commit(host); err != nil {
		return 0, err
	}
	countSend(&own.State, limits.User, now)
	if also.Own != nil {
		also.Own()
	}
	return 0, Commit(own)
}

// OpenHost opens the file that counts for the whole host. The error matches ErrState.
func (k Keyring) OpenHost() (*state.File, error) {
	host, err := k.Host.Open(HostName)
	if err != nil {
		return nil, fmt.Errorf("%w: %w; see: enroll doctor", ErrState, err)
	}
	return host, nil
}

// pause is how long the next send has to wait. Sends that the clock, set back, has put into the
// future are made durable as of now, so that they are forgotten a window after that was first
// seen and not when the clock is where it was. The error matches ErrState.
func pause(f *state.File, r Rate, now time.Time) (time.Duration, error) {
	setBack := settleSends(&f.State, r, now)
	if setBack {
		if err := Commit(f); err != nil {
			return 0, err
		}
	}
	return r.wait(f.Sends, now), nil
}

// settleSends forgets sends older than the window, takes those from the future as now, and tells
// whether there were any.
func settleSends(st *state.State, r Rate, now time.Time) (setBack bool) {
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

// wait is how long it takes until the oldest send of a full window is forgotten; 0: the window
// is not full.
func (r Rate) wait(sends []state.Send, now time.Time) time.Duration {
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

// countSend adds a send. The window is cut into as many parts as a state has room for; sends in
// one part are counted together, with the time of the latest, so that any number fits and none
// is forgotten too early.
func countSend(st *state.State, r Rate, now time.Time) {
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

func (a *Account) device(id state.DeviceID) *record.Device {
	for i := range a.Record.Devices {
		if a.Record.Devices[i].ID == id {
			return &a.Record.Devices[i]
		}
	}
	return nil
}
