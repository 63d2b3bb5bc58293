package accounts

import (
	"slices"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/takeover"
)

// Remote are the accounts of a fleet, as one of its hosts sees them. The limits that count are the
// fleet's.
type Remote struct {
	// Ask asks the fleet's service about a user, and decodes its answer.
	Ask   func(op string, u record.User, body, answer any) error
	Clock func() time.Time
}

var _, _ Accounts = Remote{}, Local{}

// ask asks, and returns the error that the service had.
func (r Remote) ask(op string, u record.User, q question) (a Reply, err error) {
	if err := r.Ask(op, u, q, &a); err != nil {
		return Reply{}, err
	}
	return a, a.Failed.err()
}

// change asks for a change, with the right to it.
func (r Remote) change(op string, p enrollment.Proof, u record.User, q question) (Reply, error) {
	has := p.Right()
	q.Right = right{Root: has.Root, Password: has.Password, Sealed: has.Sealed}
	if has.Password {
		q.Right.Ago = r.Clock().Sub(has.Began)
	}
	return r.ask(op, u, q)
}

// Record returns what u has, without secrets.
func (r Remote) Record(u record.User) (*record.Record, error) {
	rec, _, err := r.View(u)
	return rec, err
}

// View returns what u has and how it was used, without secrets.
func (r Remote) View(u record.User) (*record.Record, *state.State, error) {
	a, err := r.ask("enroll.view", u, question{})
	switch {
	case err != nil:
		return nil, nil, err
	case a.Record == nil || a.State == nil:
		return nil, nil, errEmpty
	}
	// Records in a fleet may be of no host's uid.
	a.Record.Name, a.Record.UID = u.Name, u.UID
	return a.Record, a.State, nil
}

// Names lists the fleet's users, a page at a time.
func (r Remote) Names() (all []string, err error) {
	for {
		after := ""
		if len(all) > 0 {
			after = all[len(all)-1]
		}
		a, err := r.ask("enroll.names", record.User{}, question{Name: after})
		if err != nil {
			return nil, err
		}
		if all = append(all, a.Names...); !a.More {
			slices.Sort(all)
			return all, nil
		}
		if len(a.Names) == 0 {
			return nil, errEmpty
		}
	}
}

// NeedsTicket asks the fleet, which no host's policy can be laxer than.
func (r Remote) NeedsTicket(own bool) (bool, error) {
	if own {
		return true, nil
	}
	a, err := r.ask("enroll.rules", record.User{}, question{})
	return err != nil || a.Ticket, err
}

// Try has a code compared.
func (r Remote) Try(t Try) (factor.Match, enrollment.Proof, error) {
	a, err := r.ask("enroll.try", t.User, question{Code: t.Code, Ago: r.Clock().Sub(t.Began)})
	if err != nil || a.Match.Result != factor.Accepted {
		return a.Match.match(), enrollment.Proof{}, err
	}
	return a.Match.match(), enrollment.BySealed(a.Sealed), nil
}

// TryTicket has a ticket compared.
func (r Remote) TryTicket(t Try) (factor.Result, enrollment.Proof, error) {
	a, err := r.ask("enroll.try-ticket", t.User,
		question{Code: t.Code, Ago: r.Clock().Sub(t.Began)})
	if err != nil || a.Match.Result != factor.Accepted {
		return a.Match.Result, enrollment.Proof{}, err
	}
	return a.Match.Result, enrollment.BySealed(a.Sealed), nil
}

// Add gives u one more device.
func (r Remote) Add(
	p enrollment.Proof, u record.User, d record.Device, counter uint64) error {
	_, err := r.change("enroll.add", p, u, question{Device: &d, Counter: counter})
	return err
}

// Enroll gives u all of e at once.
func (r Remote) Enroll(p enrollment.Proof, u record.User, e enrollment.Enrollment) error {
	_, err := r.change("enroll.enroll", p, u, question{Enrollment: &e})
	return err
}

// TakeOver gives u what the file of another second factor says.
func (r Remote) TakeOver(p enrollment.Proof, u record.User, e enrollment.Enrollment,
	replace bool) (takeover.Outcome, error) {
	a, err := r.change("enroll.take-over", p, u, question{Enrollment: &e, Replace: replace})
	if err == nil && a.TookOver.Result == "" {
		err = errEmpty
	}
	return a.TookOver, err
}

// Remove takes a device from u.
func (r Remote) Remove(p enrollment.Proof, u record.User, labelOrID string) error {
	_, err := r.change("enroll.remove", p, u, question{Name: labelOrID})
	return err
}

// Rename gives a device of u's another label.
func (r Remote) Rename(p enrollment.Proof, u record.User, labelOrID, label string) error {
	_, err := r.change("enroll.rename", p, u, question{Name: labelOrID, Label: label})
	return err
}

// Exchange puts a new device in the place of an old one.
func (r Remote) Exchange(p enrollment.Proof, u record.User, e enrollment.Exchange) error {
	_, err := r.change("enroll.exchange", p, u, question{Exchange: &e})
	return err
}

// SetRecovery replaces u's recovery codes.
func (r Remote) SetRecovery(p enrollment.Proof, u record.User, c record.Recovery) error {
	_, err := r.change("enroll.set-recovery", p, u, question{Recovery: &c})
	return err
}

// Distrust ends u's trust in some computers, and returns them.
func (r Remote) Distrust(
	p enrollment.Proof, u record.User, c Computers) ([]state.Trust, error) {
	a, err := r.change("enroll.distrust", p, u, question{Computers: &c})
	return a.Trusts, err
}

// Reset removes everything name has.
func (r Remote) Reset(p enrollment.Proof, name string) error {
	_, err := r.change("enroll.reset", p, record.User{Name: name}, question{})
	return err
}

// Unlock ends a lock, and reports whether there was one under the fleet's limits.
func (r Remote) Unlock(
	p enrollment.Proof, u record.User, _ limit.Guesses, _ time.Time) (bool, error) {
	a, err := r.change("enroll.unlock", p, u, question{})
	return a.Changed, err
}

// SetBypass stores a code that works in place of a device's.
func (r Remote) SetBypass(p enrollment.Proof, u record.User, c state.OneTimeCode) error {
	_, err := r.change("enroll.set-bypass", p, u, question{OneTime: &c})
	return err
}

// SetTicket stores a ticket for a first enrollment.
func (r Remote) SetTicket(p enrollment.Proof, u record.User, c state.OneTimeCode) error {
	_, err := r.change("enroll.set-ticket", p, u, question{OneTime: &c})
	return err
}
