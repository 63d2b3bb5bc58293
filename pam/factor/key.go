package factor

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/sshkey"
	"latchkey/pam/state"
)

// Presented is what sshd says of a login in which it accepted public keys.
type Presented struct {
	Keys         []sshkey.Key
	OnlyAttested bool // the policy wants proof that a security key is one
	At           time.Time
	Service      string
	From         netip.Addr // the zero Addr: not known
}

// UseKey accepts one of the user's security keys if sshd has accepted its public key, and notes
// on the disk when that was. Nothing is guessed here, so nothing is ever charged; but a locked
// account is locked for a key, too. Codes that were wrong stay counted: a script logs in by key
// every minute, and if that made them forgotten, guesses would have no limit. An error means that
// nothing may be accepted, and matches ErrState.
func (a *Account) UseKey(p Presented, limits limit.Guesses) (Match, error) {
	d := a.presented(p)
	if d == nil {
		return Match{}, nil
	}
	lockout, err := a.Lockout(p.At, limits)
	if err != nil || lockout.Locked() {
		return Match{Result: Locked, Lockout: lockout}, err
	}
	used := a.State.Device(d.ID)
	if used == nil {
		return Match{}, fmt.Errorf("%w: it does not know the device %q", ErrState, d.Label)
	}
	used.Used = p.At
	m := Match{
		Result: Accepted, Method: method.Key, Device: d, Refused: a.State.Refused,
		Lockout:    lockout,
		NewNetwork: NewNetwork(&a.State.State, p.From),
	}
	a.State.See(p.At) // as a code would: a trust that ended does not begin again
	limit.Tell(&a.State.State)
	LetIn(&a.State.State, state.Attempt{
		At: p.At, From: p.From, Service: p.Service, Method: method.Key, Device: d.ID,
	})
	if err := a.commit(); err != nil {
		return Match{}, err
	}
	return m, nil
}

// presented returns the user's first security key that p has; nil if there is none.
func (a *Account) presented(p Presented) *record.Device {
	for i := range a.Record.Devices {
		d := &a.Record.Devices[i]
		if d.Type != method.Key || p.OnlyAttested && !d.Attested {
			continue
		}
		key, err := d.SSHKey()
		if err == nil && slices.Contains(p.Keys, key) {
			return d
		}
	}
	return nil
}
