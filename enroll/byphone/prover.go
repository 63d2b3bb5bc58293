// Package byphone proves things by a code that is sent to a phone and typed: that a phone of the
// user's is at hand, or that a new number is the user's.
package byphone

import (
	"time"

	"latchkey/enroll/terminal"
	"latchkey/pam/accounts"
	"latchkey/pam/factor"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/limit"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// Prover has codes sent to one phone of one user.
type Prover struct {
	*terminal.Console
	User  record.User
	Phone *record.Device
	Rules *policy.Policy

	Clock    func() time.Time
	Began    time.Time // when the user gave the password
	Accounts accounts.Accounts
	AsRoot   func(do func() error) error
	// Spared reports whether an answer is no code and costs nothing.
	Spared func(answer string) bool
	// Refused logs a code that was refused. Judging it took from began on.
	Refused func(o verdict.Outcome, began time.Time)
	// Compared hears what became of a code.
	Compared func(m factor.Match)
}

// tries is how often a code may be mistyped.
const tries = 3

// limits are those of the policy: a code typed here is a guess like any other.
func (p Prover) limits() limit.Guesses { return p.Rules.Limits }
