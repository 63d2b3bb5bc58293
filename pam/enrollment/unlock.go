package enrollment

import (
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Advance moves the moving factor of one of a's devices forward to counter, if something else has
// used it up to there; never back, so that no code is made good again. It reports whether it moved.
// It takes root.
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

// Unlock ends a lock and forgets the failures that led to it. It reports whether there was a lock;
// without one, nothing is changed. It takes root.
func (s Store) Unlock(
	p Proof, u record.User, limits factor.Limits, now time.Time) (bool, error) {
	if err := p.allowsAll(); err != nil {
		return false, err
	}
	account, err := s.Open(u)
	if err != nil {
		return false, err
	}
	defer account.Close()
	st := &account.State.State
	if !limits.Lockout(st, now).Locked() {
		return false, nil
	}
	st.Locked, st.Failures, st.Refused = time.Time{}, nil, state.Refused{}
	return true, commitOrUndo(account.State)
}
