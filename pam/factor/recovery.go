package factor

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
	"time"

	"latchkey/pam/record"
	"latchkey/pam/state"
)

// RecoveryCodes is how many codes a set has.
const RecoveryCodes = 10

// alphabet is Crockford's base 32: no letter of it is mistaken for a digit. Ten of them are 50 bits.
const (
	alphabet    = "0123456789abcdefghjkmnpqrstvwxyz"
	codeLength  = 10
	hashRounds  = 100_000
	groupLength = 5
)

// NewRecovery makes a set of recovery codes. The codes are for the user's eyes, once; the record keeps hashes.
func NewRecovery() (codes []string, r record.Recovery, err error) {
	r.Salt = make([]byte, record.RecoverySalt)
	rand.Read(r.Salt)
	rand.Read(r.ID[:])
	for range RecoveryCodes {
		random := make([]byte, codeLength)
		rand.Read(random)
		for i, b := range random {
			random[i] = alphabet[b%byte(len(alphabet))] // 256 is a multiple of 32
		}
		code := string(random)
		hash, err := hashRecovery(code, r.Salt)
		if err != nil {
			return nil, record.Recovery{}, err
		}
		codes = append(codes, code[:groupLength]+"-"+code[groupLength:])
		r.Hashes = append(r.Hashes, hash)
	}
	return codes, r, nil
}

// hashRecovery is slow on purpose: who steals a record and the host key must not find the codes by trying them all.
func hashRecovery(code string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, code, salt, hashRounds, record.RecoveryHash)
}

// NormalizeRecovery takes spaces and dashes out of an answer, reads letters that look like digits as those, and tells whether
// what is left can be a recovery code.
func NormalizeRecovery(answer string) (code string, possible bool) {
	if len(answer) > MaxAnswer {
		return "", false
	}
	code = strings.NewReplacer(" ", "", "-", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(answer))
	return code, len(code) == codeLength && strings.Trim(code, alphabet) == ""
}

// VerifyRecovery compares code, which NormalizeRecovery has passed, with the recovery codes that are not used, and uses it
// up, charging the guess like Verify. It tells how many codes are left.
func (a *Account) VerifyRecovery(code string, now time.Time, limits Limits) (result Result, left int, err error) {
	m, err := a.charged(now, limits, func() (Match, error) {
		used := a.usedCodes()
		if used == nil {
			return Match{}, nil
		}
		n, err := a.findRecovery(code)
		if err != nil || n < 0 {
			return Match{}, err
		}
		if used.Used&(1<<n) != 0 {
			return Match{Result: Replayed}, nil
		}
		used.Used |= 1 << n
		return Match{Result: Accepted}, nil
	})
	return m.Result, a.RecoveryLeft(), err
}

// findRecovery is the number of the code in the record's set, or -1. It looks at all of them.
func (a *Account) findRecovery(code string) (int, error) {
	r := a.Record.Recovery
	hash, err := hashRecovery(code, r.Salt)
	if err != nil {
		return -1, err
	}
	found := -1
	for i, h := range r.Hashes {
		if subtle.ConstantTimeCompare(h, hash) == 1 {
			found = i
		}
	}
	return found, nil
}

// usedCodes is what the state knows of the record's set; nil if it knows nothing: then none of its codes may be accepted,
// since nobody can tell which were used.
func (a *Account) usedCodes() *state.Recovery {
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

// RecoveryLeft is how many recovery codes are not used.
func (a *Account) RecoveryLeft() int { return RecoveryLeft(a.Record, &a.State.State) }

// RecoveryLeft is the same for a record and state that were read for display.
func RecoveryLeft(r *record.Record, st *state.State) int {
	a := Account{Record: r, State: &state.File{State: *st}}
	used := a.usedCodes()
	if used == nil {
		return 0
	}
	left := 0
	for i := range r.Recovery.Hashes {
		if used.Used&(1<<i) == 0 {
			left++
		}
	}
	return left
}

// SetRecovery replaces name's recovery codes. The state knows of the new set before the record has it, and of the old
// one until the record has it no more: a crash at any instant leaves one of the two working.
func (k Keyring) SetRecovery(name string, uid uint32, r record.Recovery) error {
	return k.States.Exclusive(func() error {
		account, err := k.Open(name, uid)
		if err != nil {
			return err
		}
		defer account.Close()
		if err := k.still(account.Record); err != nil {
			return err
		}
		st := &account.State.State
		if used := account.usedCodes(); used != nil {
			st.Recovery = *used
		}
		st.Next = state.Recovery{Set: r.ID}
		if err := account.commit(); err != nil {
			return err
		}
		account.Record.Recovery = r
		if err := k.Records.Save(account.Record); err != nil {
			return err
		}
		st.Recovery, st.Next = st.Next, state.Recovery{}
		return account.commit()
	})
}
