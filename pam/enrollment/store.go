// Package enrollment is what enroll may do with an account: add, remove, replace and reset what a
// user has. Every change takes a Proof of the right to make it. A login links none of this, so it
// cannot write a record.
package enrollment

import (
	"errors"
	"fmt"
	"io/fs"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Store holds the records and states of all users, to be changed.
type Store struct{ factor.Keyring }

// Exclusive runs change while no other enroll changes anything, after removing what a killed one
// left behind. Logins do not wait for it.
func (s Store) Exclusive(change func() error) error {
	return s.exclusive(false, change)
}

func (s Store) exclusive(crowd bool, change func() error) error {
	return s.States.Exclusive(func() error { return s.indexed(crowd, change) })
}

// ensureHost makes the file of the host's counters if there is none.
func (s Store) ensureHost() error {
	lock, err := s.Host.Lock(factor.HostName)
	if errors.Is(err, fs.ErrNotExist) {
		return s.Host.Create(factor.HostName, state.State{})
	}
	lock.Close()
	return err
}

// change rewrites u's record as edit says. added are the devices that edit adds.
func (s Store) change(p Proof, u record.User, added Enrollment,
	edit func(next *record.Record) error) error {
	return s.Exclusive(func() error {
		account, err := s.Open(u)
		if err != nil {
			return err
		}
		defer account.Close()
		if err := p.allows(u, account.Record); err != nil {
			return err
		}
		next := *account.Record
		if err := edit(&next); err != nil {
			return err
		}
		if err := s.ensureHostFor(added); err != nil {
			return err
		}
		return s.rewrite(account, &next, added)
	})
}

// commitOrUndo saves a change that is to count only if the caller learns that it was saved.
func commitOrUndo(f *state.File) error {
	if err := f.CommitOrUndo(); err != nil {
		return fmt.Errorf("%w: %w", factor.ErrState, err)
	}
	return nil
}
