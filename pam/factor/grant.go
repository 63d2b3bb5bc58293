package factor

import (
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// MaxGrant is the longest that a code given out by root may work. One that claims longer is from before the clock was set
// back, and does not work.
const MaxGrant = 7 * 24 * time.Hour

// Errors that callers tell apart.
var (
	// ErrEnrolled says that a ticket is no use to a user who has a second factor.
	ErrEnrolled = errors.New("a second factor is set up already")
	// ErrTicket says that the ticket with which an enrollment began is gone: used, replaced or taken back.
	ErrTicket = errors.New("the ticket is no longer valid")
)

// NewGrant makes a code that works once, until then. The code is for the user's eyes; the state keeps a hash of it.
func NewGrant(until time.Time) (code string, g state.Grant, err error) {
	g.Until = until
	rand.Read(g.Salt[:])
	code = randomCode()
	hash, err := hashRecovery(code, g.Salt[:])
	copy(g.Hash[:], hash)
	return printed(code), g, err
}

// Live tells whether a code given out works at all.
func Live(g state.Grant, now time.Time) bool {
	return now.Before(g.Until) && g.Until.Sub(now) <= MaxGrant
}

// opens tells whether code, which NormalizeAnswer has passed, is the one given out.
func opens(g state.Grant, code string, now time.Time) (bool, error) {
	if len(code) != codeLength || !Live(g, now) {
		return false, nil
	}
	hash, err := hashRecovery(code, g.Salt[:])
	return err == nil && subtle.ConstantTimeCompare(hash, g.Hash[:]) == 1, err
}

// compareBypass compares the code with the one that root gave out in place of a device's, and uses it up. No rule's methods
// forbid it: root has said that this user may log in.
func (a *Account) compareBypass(g Guess) (Match, error) {
	ok, err := opens(a.State.Bypass, g.Code, g.At)
	if err != nil || !ok {
		return Match{compared: len(g.Code) == codeLength && Live(a.State.Bypass, g.At)}, err
	}
	a.State.Bypass = state.Grant{}
	return Match{Result: Accepted, Method: method.Bypass}, nil
}

// SetBypass keeps a code that works in place of a device's, instead of any there was. Errors are those of Open.
func (k Keyring) SetBypass(u record.User, g state.Grant) error {
	account, err := k.Open(u)
	if err != nil {
		return err
	}
	defer account.Close()
	account.State.Bypass = g
	return account.commitOrUndo()
}

// SetTicket keeps a ticket for the first enrollment of name, instead of any there was. The error matches ErrEnrolled if name
// has a record.
func (k Keyring) SetTicket(u record.User, g state.Grant) error {
	return k.Exclusive(func() error {
		account, err := k.Open(u)
		if err == nil {
			account.Close()
			return ErrEnrolled
		}
		if !errors.Is(err, ErrUnenrolled) {
			return err
		}
		st, err := k.unenrolledState(u)
		if err != nil {
			return err
		}
		defer st.Close()
		st.Ticket = g
		st.Failures, st.Locked, st.Refused = nil, time.Time{}, state.Refused{} // nothing was guessed against this one
		return st.CommitOrUndo()
	})
}

// unenrolledState opens the state of a user who has no record, and makes it if need be. One left over from an earlier uid or
// enrollment is replaced. The caller holds Exclusive.
func (k Keyring) unenrolledState(u record.User) (*state.File, error) {
	st, err := k.States.Open(u.Name)
	if err == nil && st.UID == u.UID && st.Enrollment == (state.EnrollmentID{}) {
		return st, nil
	}
	if err == nil {
		st.Close()
	} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, state.ErrDamaged) {
		return nil, stateError(u.Name, err)
	}
	if err := k.States.Create(u.Name, state.State{UID: u.UID}); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrState, err)
	}
	if st, err = k.States.Open(u.Name); err != nil {
		return nil, stateError(u.Name, err)
	}
	return st, nil
}

// VerifyTicket compares code, which NormalizeAnswer has passed, with the ticket of a user who has no record, charging the
// guess like Verify. It uses nothing up: the enrollment does, through Keyring.Ticket, to which the caller gives the ticket.
func (k Keyring) VerifyTicket(u record.User, code string, now time.Time, limits Limits) (Result, state.Grant, error) {
	st, err := k.States.Open(u.Name)
	if errors.Is(err, fs.ErrNotExist) {
		return Wrong, state.Grant{}, nil // nobody was invited, so there is nothing to guess
	}
	if err != nil {
		return Wrong, state.Grant{}, stateError(u.Name, err)
	}
	defer st.Close()
	if st.UID != u.UID {
		return Wrong, state.Grant{}, nil
	}
	account := &Account{State: st}
	if lockout, err := account.Lockout(now, limits); err != nil || lockout.Locked() {
		return Locked, st.Ticket, err
	}
	ok, err := opens(st.Ticket, code, now)
	if err != nil {
		return Wrong, st.Ticket, err
	}
	if !ok {
		limits.charge(&st.State, now, netip.Addr{})
		return Wrong, st.Ticket, account.commit()
	}
	accept(&st.State)
	if err := account.commit(); err != nil {
		return Wrong, st.Ticket, err
	}
	return Accepted, st.Ticket, nil
}
