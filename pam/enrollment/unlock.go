package enrollment

import (
	"errors"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Advance moves the moving factor of one of a's devices forward to counter, because something else
// has used it up to there; never back, so that no code becomes valid again. It reports whether it
// moved. It takes root.
func Advance(p Proof, a *factor.Account, id state.DeviceID, counter uint64) (bool, error) {
	if err := p.allowsAll(); err != nil {
		return false, err
	}
	used := a.State.Device(id)
	if used == nil || used.Counter >= counter {
		return false, nil
	}
	used.Counter, used.Resync = counter, 0
	return true, commitOrUndo(a.State)
}

// Unlock ends a lock and forgets the failures that led to it. It reports whether the user is
// locked under limits. A service with a policy of its own may lock the user under other limits, so
// the failures are forgotten in any case. It takes root.
func (s Store) Unlock(
	p Proof, u record.User, limits limit.Guesses, now time.Time) (bool, error) {
	if err := p.allowsAll(); err != nil {
		return false, err
	}
	file, err := s.lockable(u)
	if err != nil {
		return false, err
	}
	defer file.Close()
	st := &file.State
	was := limits.Lockout(st, now).Locked()
	// That there was a lock is told with the next login all the same.
	st.Locked, st.Failures, st.Refused = time.Time{}, nil, state.Refused{Locked: st.Refused.Locked}
	return was, commitOrUndo(file)
}

// lockable opens the state of a user who may be locked. Users without a record can be locked too,
// by wrong tickets and by wrong codes for a number that they claim.
func (s Store) lockable(u record.User) (*state.File, error) {
	account, err := s.Open(u)
	if err == nil {
		return account.State, nil
	}
	if !errors.Is(err, factor.ErrUnenrolled) {
		return nil, err
	}
	file, missing := s.States.Open(u.Name)
	if missing != nil {
		return nil, err
	}
	if file.UID != u.UID {
		file.Close()
		return nil, err
	}
	return file, nil
}
