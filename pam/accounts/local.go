package accounts

import (
	"slices"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/takeover"
)

// Local are the accounts of a store: a host's, or what a fleet's service read from the database.
type Local struct {
	enrollment.Store
	Clock  func() time.Time
	Twilio func() authority.Verifier // codes by phone
	// Once runs a part of Send or Judge, between which Twilio is asked; nil: on Store, as files
	// are locked.
	Once func(do func(enrollment.Store) error) error
	// Users is a page of Names in an order of its own, for a host that asks for one after the other;
	// nil: pages are made of Names.
	Users func(after string, most int) (page []string, more bool, err error)
}

// page is one of Names, as Users is.
func (l Local) page(after string, most int) (page []string, more bool, err error) {
	if l.Users != nil {
		return l.Users(after, most)
	}
	all, err := l.Names()
	first, found := slices.BinarySearch(all, after)
	if found {
		first++
	}
	size := 0
	for _, name := range all[first:] {
		if size += len(name); size > most {
			return page, true, err
		}
		page = append(page, name)
	}
	return page, false, err
}

// service is how a code that is typed at enroll stands among a user's attempts.
const service = "enroll"

// Record returns what u has.
func (l Local) Record(u record.User) (*record.Record, error) {
	account, err := l.Open(u)
	if err != nil {
		return nil, err
	}
	account.Close()
	return account.Record, nil
}

// NeedsTicket is what the policy says.
func (l Local) NeedsTicket(own bool) (bool, error) { return own, nil }

// Try compares a code with what the user has, and uses it up or charges it.
func (l Local) Try(t Try) (m factor.Match, p enrollment.Proof, err error) {
	account, err := l.Open(t.User)
	if err != nil {
		return m, p, err
	}
	defer account.Close()
	guess := factor.Guess{Code: t.Code, At: l.Clock(), Service: service,
		Accepts: func(method.Method) bool { return true }}
	if m, err = account.Verify(guess, t.Limits); err != nil {
		return factor.Match{}, p, err
	}
	return m, enrollment.ByCode(t.Began, l.Clock, account.Record, m), nil
}

// TryTicket compares a code with the user's ticket, and charges a wrong one. The enrollment uses
// the ticket up.
func (l Local) TryTicket(t Try) (factor.Result, enrollment.Proof, error) {
	result, ticket, err := l.VerifyTicket(t.User, t.Code, l.Clock(), t.Limits)
	if err != nil || result != factor.Accepted {
		return result, enrollment.Proof{}, err
	}
	return result, enrollment.ByTicket(t.User, t.Began, l.Clock, ticket), nil
}

// TakeOver gives u what the file of another second factor says.
func (l Local) TakeOver(p enrollment.Proof, u record.User, e enrollment.Enrollment,
	replace bool) (became takeover.Outcome, err error) {
	err = l.Exclusive(func() error {
		became, err = takeover.Into(l.Store, p, u, e, replace)
		return err
	})
	return became, err
}

// Distrust ends u's trust in some computers, and returns them.
func (l Local) Distrust(p enrollment.Proof, u record.User, c Computers) ([]state.Trust, error) {
	return l.Store.Distrust(p, u, c.Has)
}
