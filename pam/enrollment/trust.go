package enrollment

import (
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Distrust ends the trust that u has given to the computers that end chooses, and returns what they
// were. Nothing is saved if there are none.
func (s Store) Distrust(p Proof, u record.User, end func(state.Trust) bool) (ended []state.Trust, err error) {
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
