package enrollment

import (
	"crypto/rand"

	"latchkey/pam/factor"
	"latchkey/pam/factor/owncode"
	"latchkey/pam/record"
)

// RecoveryCodes is the number of codes in a set.
const RecoveryCodes = 10

// NewRecovery makes a set of recovery codes. The codes are for the user's eyes, once; the record
// keeps hashes.
func NewRecovery() (codes []string, r record.Recovery, err error) {
	r.Salt = make([]byte, record.RecoverySalt)
	rand.Read(r.Salt)
	rand.Read(r.ID[:])
	for range RecoveryCodes {
		code, hash, err := owncode.New(r.Salt)
		if err != nil {
			return nil, record.Recovery{}, err
		}
		codes = append(codes, code)
		r.Hashes = append(r.Hashes, hash)
	}
	return codes, r, nil
}

// ImportedRecovery makes a set of recovery codes that another module printed: 8 digits each.
func ImportedRecovery(codes []string) (r record.Recovery) {
	rand.Read(r.ID[:])
	r.Codes = codes
	return r
}

// RecoveryUsed reports whether recovery code number n of a is used, or has to count as used
// because that is unknown.
func RecoveryUsed(a *factor.Account, n int) bool {
	used := a.UsedCodes()
	return used == nil || used.Used&(1<<n) != 0
}
