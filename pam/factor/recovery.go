package factor

import (
	"crypto/subtle"
	"slices"

	"latchkey/pam/factor/owncode"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// hasRecoveryLike reports whether the record's set has codes of this form.
func (a *Account) hasRecoveryLike(code string) bool {
	r := &a.Record.Recovery
	imported := func(c string) bool { return len(c) == len(code) }
	return len(r.Hashes) > 0 && len(code) == owncode.Length ||
		slices.ContainsFunc(r.Codes, imported)
}

// compareRecovery compares the code with the recovery codes and uses it up.
func (a *Account) compareRecovery(g Guess) (Match, error) {
	used := a.UsedCodes()
	if used == nil || !g.accepts(method.Recovery) {
		return Match{}, nil
	}
	n, err := a.findRecovery(g.Code)
	if err != nil || n < 0 {
		return Match{compared: a.RecoveryLeft() > 0 && a.hasRecoveryLike(g.Code)}, err
	}
	if used.Used&(1<<n) != 0 {
		return Match{Result: Replayed, Method: method.Recovery}, nil
	}
	used.Used |= 1 << n
	return Match{Result: Accepted, Method: method.Recovery}, nil
}

// findRecovery is the number of the code in the record's set, or -1. It looks at all of them.
func (a *Account) findRecovery(code string) (int, error) {
	r := &a.Record.Recovery
	found := -1
	for i, c := range r.Codes {
		if subtle.ConstantTimeCompare([]byte(c), []byte(code)) == 1 {
			found = i
		}
	}
	if len(r.Hashes) == 0 || len(code) != owncode.Length {
		return found, nil
	}
	hash, err := owncode.Hash(code, r.Salt)
	if err != nil {
		return -1, err
	}
	for i, h := range r.Hashes {
		if subtle.ConstantTimeCompare(h, hash) == 1 {
			found = i
		}
	}
	return found, nil
}

// UsedCodes returns what the state knows of the record's set, or nil: then no code of the set may
// be accepted, since it is not known which were used.
func (a *Account) UsedCodes() *state.Recovery {
	st, set := &a.State.State, a.Record.Recovery.ID
	switch {
	case set == state.SetID{}:
		return nil
	case st.Recovery.Set == set:
		return &st.Recovery
	case st.Next.Set == set:
		return &st.Next
	}
	return nil
}

// RecoveryLeft returns how many recovery codes are unused.
func (a *Account) RecoveryLeft() int { return RecoveryLeft(a.Record, &a.State.State) }

// RecoveryLeft is the same for a record and state that were read for display.
func RecoveryLeft(r *record.Record, st *state.State) int {
	a := Account{Record: r, State: &state.File{State: *st}}
	used := a.UsedCodes()
	if used == nil {
		return 0
	}
	left := 0
	for i := range r.Recovery.Len() {
		if used.Used&(1<<i) == 0 {
			left++
		}
	}
	return left
}
