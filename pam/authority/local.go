package authority

import (
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/field"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// Local is the authority that has the accounts: the host itself or, in a fleet, the service. It
// opens an account for each step and closes it before the network is asked. One Local is for one
// login: it remembers what the login's wrong codes say of clocks.
type Local struct {
	Keyring  factor.Keyring
	Verifier Verifier // codes by phone
	Clock    func() time.Time
	// Policy is one that no login's own may be laxer than; nil on a single host, where both are
	// the same.
	Policy *policy.Policy

	drifts []factor.Drift
}

var _ Authority = (*Local)(nil)

// Codes implements Authority.
func (l *Local) Codes(u record.User) (field.Codes, error) {
	rec, _, err := l.Keyring.View(u)
	if err != nil {
		return field.Codes{}, err
	}
	return field.Of(rec), nil
}
