package factor

import (
	"errors"
	"fmt"
	"time"

	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// FirstWait is the time between the first code sent and the second; it doubles from there.
const FirstWait = 30 * time.Second

// HostName is the name of the file that counts for the whole host.
const HostName = "host"

// ErrNotYet says that a code may be sent, but later; it comes with the time to wait.
var ErrNotYet = errors.New("not yet")

// ReserveSend reserves one more send to a phone of the user's, durably and before anything is
// sent, against the limits of the user and the host. If a limit forbids it the error matches
// ErrNotYet and wait says how long; nothing is reserved then. Other errors match those of Open, or
// ErrState.
func (k Keyring) ReserveSend(u record.User, id state.DeviceID, limits limit.Sends,
	now time.Time) (wait time.Duration, err error) {
	account, err := k.Open(u)
	if err != nil {
		return 0, err
	}
	defer account.Close()
	return account.ReserveSend(k, id, limits, now)
}

// ReserveSend does the same for an account of k that is open already.
func (a *Account) ReserveSend(k Keyring, id state.DeviceID, limits limit.Sends,
	now time.Time) (wait time.Duration, err error) {
	if phone := a.Device(id); phone == nil || phone.Type != method.Phone {
		return 0, fmt.Errorf("%w: the phone was removed meanwhile", ErrRecord)
	}
	if wait, err = a.resendWait(id, now, limits.AtOnce); err != nil || wait > 0 {
		return wait, err
	}
	return k.Reserve(a.State, limits, now,
		Reservation{Own: func() { a.noteSend(id, now) }})
}

// resendWait is how long the next send to a phone has to wait because of the one before it: twice
// as long each time, while that one can still be used. Without a verification that waits there is
// nothing to wait for.
func (a *Account) resendWait(id state.DeviceID, now time.Time, atOnce bool) (time.Duration,
	error) {
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
		return p.At.Add(CodeLife).Sub(now), fmt.Errorf(
			"%w: the last code that was sent was compared with too many answers", ErrNotYet)
	}
	wait := p.At.Add(FirstWait << min(max(p.Sends, 1)-1, 20)).Sub(now)
	if atOnce || wait <= 0 {
		return 0, nil
	}
	return min(wait, CodeLife), fmt.Errorf("%w: a code was sent to this phone just now", ErrNotYet)
}

// Reservation is what is kept with a send that is reserved; nil: nothing.
type Reservation struct {
	Own func() // for the user
	// for the host, unless that must wait
	Host func(host *state.File) (wait time.Duration, err error)
}

// Reserve reserves a send for the user whose state own is, and for the host.
func (k Keyring) Reserve(own *state.File, limits limit.Sends, now time.Time,
	also Reservation) (wait time.Duration, err error) {
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
	limits.Host.CountSend(&host.State, now)
	if err := Commit(host); err != nil {
		return 0, err
	}
	limits.User.CountSend(&own.State, now)
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
func pause(f *state.File, r limit.Rate, now time.Time) (time.Duration, error) {
	setBack := r.SettleSends(&f.State, now)
	if setBack {
		if err := Commit(f); err != nil {
			return 0, err
		}
	}
	return r.WaitToSend(f.Sends, now), nil
}

// Device returns the device id of the record, or nil.
func (a *Account) Device(id state.DeviceID) *record.Device {
	for i := range a.Record.Devices {
		if a.Record.Devices[i].ID == id {
			return &a.Record.Devices[i]
		}
	}
	return nil
}
