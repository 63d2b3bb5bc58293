package factor

import (
	"errors"
	"time"

	"latchkey/pam/record"
)

// ProofLife is how long what somebody proved gives the right to a change: nobody reads a secret off a screen for longer, and a
// program left waiting must not change anything once passwords, tickets and devices are others.
const ProofLife = 15 * time.Minute

// ErrProof says that what gave the right to a change was proven too long ago.
var ErrProof = errors.New("this took too long")

// Lasting is a Still for a Keyring: still, for ProofLife after began, when the first thing was proven.
func Lasting(began time.Time, clock func() time.Time, still func(*record.Record) error) func(*record.Record) error {
	return func(r *record.Record) error {
		if took := clock().Sub(began); took < 0 || took > ProofLife {
			return ErrProof
		}
		return still(r)
	}
}
