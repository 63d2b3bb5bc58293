// Package takeover gives users what the file of another second factor says they have. Done again,
// it changes nothing, but for what was used elsewhere meanwhile: that no longer works.
package takeover

import (
	"errors"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
)

// Result is what became of a user. The zero Result is none.
type Result string

// The values of Result, which are an interface of enroll's.
const (
	Imported  Result = "imported"
	Replaced  Result = "replaced"  // what they had before is gone
	Unchanged Result = "unchanged" // they had all that already
	Updated   Result = "updated"   // likewise, but codes were used elsewhere meanwhile
	Kept      Result = "kept"      // they have something else, and keep it
)

// Outcome is what became of a user, and what else they should know.
type Outcome struct {
	Result Result   `json:"result,omitempty"`
	Notes  []string `json:"notes,omitempty"`
}

// What a merge says of a user whose devices stay as they are.
var (
	errUnchanged = errors.New("already there")
	errUpdated   = errors.New("already there; used further elsewhere")
)

// Into gives u what a file says: e's devices with what was used of them, and recovery codes that
// are not used. A user who has other devices keeps them, unless the file is to replace them. The
// caller holds Exclusive. With an error there is no outcome, unless it matches
// safefile.ErrInForce.
func Into(s enrollment.Store, p enrollment.Proof, u record.User, e enrollment.Enrollment,
	replace bool) (Outcome, error) {
	e.Used = 0 // what a file has of recovery codes is not used
	m := merge{e: e, proof: p, replace: replace}
	became := Outcome{Result: Imported}
	err := s.Import(p, u, e, func(old *factor.Account) (enrollment.Enrollment, error) {
		became.Result = Replaced
		return m.with(old)
	})
	switch {
	case errors.Is(err, errUnchanged):
		return Outcome{Unchanged, m.notes}, nil
	case errors.Is(err, errUpdated):
		return Outcome{Updated, m.notes}, nil
	case errors.Is(err, enrollment.ErrEnrolled):
		return Outcome{Result: Kept}, nil
	case err == nil, errors.Is(err, safefile.ErrInForce):
		return became, err
	}
	return Outcome{}, err
}
