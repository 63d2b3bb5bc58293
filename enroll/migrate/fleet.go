package migrate

import (
	"sync"

	"latchkey/pam/enrollment"
	"latchkey/pam/many"
	"latchkey/pam/record"
	"latchkey/pam/takeover"
)

// Fleet saves users in the fleet of this host.
type Fleet struct {
	// TakeOver does what takeover.Into does for one user, whole or not at all.
	TakeOver func(p enrollment.Proof, u record.User, e enrollment.Enrollment, replace bool) (
		takeover.Outcome, error)
	Most int // calls of TakeOver at a time
	// Stops reports whether an error is one of the fleet, which stops the run, and not of a user.
	Stops func(error) bool
}

// saveInFleet enrolls the candidates in the fleet. The error is one that stops all: who was not
// tried then has no result, and whose result was lost has none either.
func (m *migration) saveInFleet(f *Fleet) error {
	step, end := m.Told.Begin(len(m.all))
	defer end()
	var mu sync.Mutex // of those who are told
	return many.Each(m.all, f.Most, func(c *candidate) error {
		if c.Result == "" {
			became, err := f.TakeOver(m.Proof, c.who.User, c.enrollment(), m.Replace)
			if err != nil && f.Stops(err) {
				return err
			}
			c.became(became, err)
		}
		mu.Lock()
		defer mu.Unlock()
		step()
		if c.Outcome.Changed() {
			m.Changed(c.Outcome)
		}
		return nil
	})
}
