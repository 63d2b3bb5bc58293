package enrollment

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/factor/owncode"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// ErrTicket says that the ticket with which an enrollment began is gone: used, replaced or taken
// back.
var ErrTicket = errors.New("the ticket is no longer valid")

// NewOneTimeCode makes a code that works once, up to the time until. The code is for the user's
// eyes; the state keeps a hash of it.
func NewOneTimeCode(until time.Time) (code string, c state.OneTimeCode, err error) {
	c.Until = until
	rand.Read(c.Salt[:])
	code, hash, err := owncode.New(c.Salt[:])
	copy(c.Hash[:], hash)
	return code, c, err
}

// sameCode reports whether both are the same code that root gave out.
func sameCode(a, b state.OneTimeCode) bool {
	same := a.Until.Equal(b.Until)
	b.Until = a.Until // whichever way the times are written
	return same && a == b
}

// SetBypass stores a code that works in place of a device's and replaces any earlier one. It takes
// root. Errors are also those of Open.
func (s Store) SetBypass(p Proof, u record.User, c state.OneTimeCode) error {
	if err := p.allowsAll(); err != nil {
		return err
	}
	account, err := s.Open(u)
	if err != nil {
		return err
	}
	defer account.Close()
	account.State.Bypass = c
	return commitOrUndo(account.State)
}

// SetTicket stores a ticket for the first enrollment of u and replaces any earlier one. It takes
// root. The error matches ErrEnrolled if u has a record.
func (s Store) SetTicket(p Proof, u record.User, c state.OneTimeCode) error {
	if err := p.allowsAll(); err != nil {
		return err
	}
	return s.Exclusive(func() error {
		account, err := s.Open(u)
		if err == nil {
			account.Close()
			return ErrEnrolled
		}
		if !errors.Is(err, factor.ErrUnenrolled) {
			return err
		}
		st, err := s.unenrolledState(u)
		if err != nil {
			return err
		}
		defer st.Close()
		st.Ticket = c
		// No one has guessed at this ticket yet.
		st.Failures, st.Locked, st.Refused = nil, time.Time{}, state.Refused{}
		return st.CommitOrUndo()
	})
}

// unenrolledState opens the state of a user who has no record, and makes it if need be. One left
// over from an earlier uid or enrollment is replaced. The caller holds Exclusive.
func (s Store) unenrolledState(u record.User) (*state.File, error) {
	st, err := s.States.Open(u.Name)
	if err == nil && st.UID == u.UID && st.Enrollment == (state.EnrollmentID{}) {
		return st, nil
	}
	if err == nil {
		st.Close()
	} else if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, state.ErrDamaged) {
		return nil, factor.StateError(u.Name, err)
	}
	if err := s.States.Create(u.Name, state.State{UID: u.UID}); err != nil {
		return nil, fmt.Errorf("%w: %w", factor.ErrState, err)
	}
	if st, err = s.States.Open(u.Name); err != nil {
		return nil, factor.StateError(u.Name, err)
	}
	return st, nil
}

// VerifyTicket compares code, which normalize.AnyCode has passed, with the ticket of a user who
// has no record, and charges the guess as Verify does. It does not use the ticket up: the
// enrollment does, with the Proof that ByTicket makes of the ticket.
func (s Store) VerifyTicket(u record.User, code string, now time.Time, limits limit.Guesses) (
	factor.Result, state.OneTimeCode, error) {
	st, err := s.States.Open(u.Name)
	if errors.Is(err, fs.ErrNotExist) {
		// without an invitation there is nothing to guess
		return factor.Wrong, state.OneTimeCode{}, nil
	}
	if err != nil {
		return factor.Wrong, state.OneTimeCode{}, factor.StateError(u.Name, err)
	}
	defer st.Close()
	if st.UID != u.UID {
		return factor.Wrong, state.OneTimeCode{}, nil
	}
	if lockout, err := (&factor.Account{State: st}).Lockout(now, limits); err != nil ||
		lockout.Locked() {
		return factor.Locked, st.Ticket, err
	}
	ok, err := factor.Opens(st.Ticket, code, now)
	if err != nil {
		return factor.Wrong, st.Ticket, err
	}
	if !ok {
		limits.Charge(&st.State, now, netip.Addr{})
		return factor.Wrong, st.Ticket, factor.Commit(st)
	}
	limit.Accept(&st.State)
	if err := factor.Commit(st); err != nil {
		return factor.Wrong, st.Ticket, err
	}
	return factor.Accepted, st.Ticket, nil
}
