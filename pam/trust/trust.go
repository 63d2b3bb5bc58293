package trust

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Find reports whether account's user trusts the computer of a login, and which trust says so.
// What is not known for certain is not trusted. The error matches factor.ErrRecord, and means that
// no one may be let in.
func Find(k factor.Keyring, account *factor.Account, c Computer,
	now time.Time) (t state.Trust, ok bool, err error) {
	st := &account.State.State
	if !c.Known() || st.SetBack(now) {
		return state.Trust{}, false, nil
	}
	for _, t := range st.Trusts {
		if !c.is(t) || !Lasts(t, now) {
			continue
		}
		tag, err := tag(k.Records, account, c, t)
		if err != nil {
			return state.Trust{}, false, err
		}
		if tag == t.Tag {
			return t, true, nil
		}
	}
	return state.Trust{}, false, nil
}

// Lasts reports whether t has begun and is not over.
func Lasts(t state.Trust, now time.Time) bool {
	return t.Days > 0 && !t.Since.After(now.Add(state.ClockSlack)) && now.Before(t.Until())
}

// tag binds t to this host, its user and enrollment, the service and what the policy says: none of
// these can be exchanged for another.
func tag(records factor.Records, account *factor.Account, c Computer,
	t state.Trust) ([8]byte, error) {
	r := account.Record
	tag, err := records.TrustTag(fmt.Sprintf("%x %d %q %q %q %x %s %t %d %d",
		r.Enrollment, r.UID, r.Name, c.place(), c.Terms, t.Key, t.From, t.Anywhere,
		t.Since.Unix(), t.Days))
	if err != nil {
		return tag, fmt.Errorf("%w: %w", factor.ErrRecord, err)
	}
	return tag, nil
}

// Proven is what a login has shown before its user was asked about trust: nothing of it may have
// changed meanwhile.
type Proven struct {
	User       record.User
	Enrollment state.EnrollmentID
	Device     state.DeviceID // whose code was accepted
	Limits     limit.Guesses
}

// errMeanwhile says that a user may not be the one any longer who was asked.
var errMeanwhile = errors.New("the account was locked or changed meanwhile")

// holds reports whether the user still has what was proven.
func (p Proven) holds(r *record.Record) bool {
	is := func(d record.Device) bool { return d.ID == p.Device }
	return r.Enrollment == p.Enrollment && slices.ContainsFunc(r.Devices, is)
}

// Give makes the user of a login trust its computer. The error says why it is not: nothing is
// trusted then.
func Give(k factor.Keyring, p Proven, c Computer, now time.Time) error {
	account, err := k.Open(p.User)
	if err != nil {
		return err
	}
	defer account.Close()
	st := &account.State.State
	lockout, err := account.Lockout(now, p.Limits)
	switch {
	case err != nil:
		return err
	case !c.Known() || lockout.Locked() || !p.holds(account.Record):
		return errMeanwhile
	}
	t := c.trusted()
	t.Since = now.Truncate(time.Second)
	if t.Tag, err = tag(k.Records, account, c, t); err != nil {
		return err
	}
	st.See(now)
	keep(st, t, now)
	return factor.Commit(account.State)
}

// keep adds a trust in place of those that are over and of the one that it renews. If there is no
// room, the oldest falls out.
func keep(st *state.State, t state.Trust, now time.Time) {
	kept := slices.DeleteFunc(st.Trusts, func(old state.Trust) bool {
		return renews(t, old) || !Lasts(old, now)
	})
	if len(kept) == state.MaxTrusts {
		kept = slices.Delete(kept, 0, 1)
	}
	st.Trusts = append(kept, t)
}

// renews reports whether t is given to what old was given to.
func renews(t, old state.Trust) bool {
	samePlace := old.Anywhere == t.Anywhere && (t.Anywhere || old.From == t.From)
	return samePlace && old.Key == t.Key && old.Service == t.Service
}

// Forget ends all trust that a user has given.
func Forget(k factor.Keyring, u record.User) error {
	account, err := k.Open(u)
	if err != nil {
		return err
	}
	defer account.Close()
	if len(account.State.Trusts) == 0 {
		return nil
	}
	account.State.Trusts = nil
	return factor.Commit(account.State)
}

// MaxSharers is how many users may trust one address without any key. Behind an address with more
// of them there is a network, not a computer.
const MaxSharers = 3

// CountTime is how long a login may count them.
const CountTime = time.Second

// Crowded reports whether the computer would be recognized by its address alone and more than
// MaxSharers other users trust that already. States are read without their locks, so that no login
// waits for another's; what cannot be read, or not within a time, may trust it: a login that is
// decided must not run into the gate's deadline.
func Crowded(k factor.Keyring, u record.User, c Computer, now time.Time,
	within time.Duration) bool {
	t, began := c.trusted(), time.Now()
	if t.Key != [16]byte{} {
		return false
	}
	names, err := k.States.Names()
	if err != nil {
		return true
	}
	sharers := 0
	for _, name := range names {
		if name != u.Name && mayTrust(k, name, t, now) {
			sharers++
		}
		if sharers > MaxSharers || time.Since(began) > within {
			return true
		}
	}
	return false
}

// mayTrust reports whether a user trusts the address of t.
func mayTrust(k factor.Keyring, name string, t state.Trust, now time.Time) bool {
	st, err := k.States.Peek(name)
	if err != nil {
		return true
	}
	return slices.ContainsFunc(st.Trusts, func(old state.Trust) bool {
		return !old.Anywhere && old.From == t.From && Lasts(old, now)
	})
}
