// Package explain says which rule decides a login, what would be asked, and why, and what the
// service's stack makes of that. It holds that login with a user who gives no answer, so what it
// says cannot differ from what happens; nothing is sent, counted or logged.
package explain

import (
	"time"

	"latchkey/pam/accounts"
	"latchkey/pam/authority"
	"latchkey/pam/record"
)

// Login is the login to explain, on one system.
type Login struct {
	User    record.User
	Service string
	From    string // the client's address; empty: the login is a local one

	Root     string
	Clock    func() time.Time
	Accounts accounts.Accounts
	// Authority answers the login that is held.
	Authority authority.Authority
	// Ready reports why no code can be sent to a phone; nil: it can.
	Ready func() error

	member func(group string) (bool, error)
}
