package enrollment

import (
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Distrust ends u's trust in the computers that end selects, and returns them. If there are none,
// nothing is saved.
func (s Store) Distrust(p Proof, u record.User,
	end func(state.Trust) bool) (ended []state.Trust, err error) {
	account, err := s.Open(u)
	if err != nil {
		return nil, err
	}
	defer account.Close()
	if err := p.allows(u, account.Record); err != nil {
		return nil, err
	}
	for _, t := range account.State.Trusts {
		if end(t) {
			ended = append(ended, t)
		}
	}
	if len(ended) == 0 {
		return nil, nil
	}
	account.State.Trusts = slices.DeleteFunc(account.State.Trusts, end)
	return ended, factor.Commit(account.State)
}
