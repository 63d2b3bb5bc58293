package service

import (
	"context"
	"errors"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/service/admission"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
)

// Op is what a question can ask for. The zero Op does nothing.
type Op struct {
	Role Role // that the host must have
	// Run does it in one transaction. It runs again if something changed meanwhile, so it changes
	// nothing but what t has. Any error is a fault, and goes along with the body.
	Run func(t *store.Txn, q wire.Question) (body any, err error)
	// Steps, if set, does it in place of Run, in several transactions.
	Steps func(c *Call) (store.Reply, error)
}

// Role is what a host must be allowed to ask.
type Role = hosts.Role

// Call is one question that is being answered.
type Call struct {
	service *Service
	ctx     context.Context
	opened  *wire.Opened
	q       wire.Question
	role    Role
	came    time.Time // when the question came, by the service's clock
	since   int       // the service's own number before anything was read
	// begun: a part of the question is done, and the rest must not fail because that took long
	begun bool
	// quarantine is when the one ends that this question began; zero: none
	quarantine time.Time
	// sent: Twilio says whether the code is wrong. So it counts for the host once that is known, or
	// right codes of many users at once would look like a host that guesses.
	sent    bool
	guessed bool // sent, and the user is charged
}

// freshness is how far the time of a question may be from this service's.
const freshness = 30 * time.Second

// Once does all of the question in one transaction.
func (c *Call) Once(op func(*store.Txn, wire.Question) (any, error)) (store.Reply, error) {
	return c.update(op, nil, false)
}

// First does the first part of the question, after which unfinished says whether there is more.
func (c *Call) First(op func(*store.Txn, wire.Question) (any, error),
	unfinished func() bool) (store.Reply, error) {
	return c.update(op, unfinished, false)
}

// Last does the rest.
func (c *Call) Last(op func(*store.Txn, wire.Question) (any, error)) (store.Reply, error) {
	c.begun = true
	return c.update(op, nil, true)
}

func (c *Call) update(op func(*store.Txn, wire.Question) (any, error), unfinished func() bool,
	continued bool) (store.Reply, error) {
	leave, err := c.enter()
	if err != nil {
		return store.Reply{}, err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), c.service.Patience)
	defer cancel()
	who := store.Asker{
		Host: c.q.Host, User: c.q.User, Op: c.q.Op, Token: c.q.Token, Body: c.q.Body,
		Needs: []string{store.KeyServices, store.KeyPolicy, store.HostKey(c.q.Host),
			store.HostLimitKey(c.q.Host)},
		Admit: c.admit, Charged: c.charged, Unfinished: unfinished, Continued: continued,
	}
	guessed := c.guessed
	r, err := c.service.store.Update(ctx, who, func(t *store.Txn) (any, error) {
		c.quarantine, c.guessed = time.Time{}, guessed
		q := c.q
		if !c.service.SameUIDs {
			q.UID = 0
		}
		body, err := op(t, q)
		return body, faultOf(err)
	})
	if err == nil && r.Fresh && !c.quarantine.IsZero() {
		c.service.metrics.quarantines.Add(1)
		c.service.Log.Error("quarantine: too many wrong codes came from this host", "host",
			c.q.Host, "until", c.quarantine)
	}
	return r, err
}

// enter waits for the question's turn. Of a question that was not begun, nothing is done once its
// host is gone.
func (c *Call) enter() (leave func(), err error) {
	if !c.begun {
		leave, err = c.service.slots.Enter(c.ctx, false)
	} else {
		leave, err = c.service.slots.Enter(context.WithoutCancel(c.ctx), true)
	}
	if err != nil && !errors.Is(err, admission.ErrBusy) {
		return nil, wire.Errorf(wire.Unknown, "the host has gone")
	}
	return leave, err
}

// faultOf makes the errors about an account those of the wire.
func faultOf(err error) error {
	var known *wire.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	fault := wire.Errorf(wire.Fault(authority.FaultOf(err)), "%v", err)
	if errors.Is(err, store.ErrUndone) {
		return errors.Join(fault, store.ErrUndone)
	}
	return fault
}

func textOf(err error) string {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Text
	}
	return err.Error()
}

// Account is the account that a question is about. Without the same uids on all hosts, a fleet's
// users are who their names say.
func Account(q wire.Question) record.User { return record.User{Name: q.User, UID: q.UID} }

// admit refuses a question that this service or the host must not have part in. All it looks at
// was read in the transaction that does what is asked.
func (c *Call) admit(t *store.Txn) error {
	if err := c.service.node.Check(t, c.since); err != nil {
		return err
	}
	if !c.begun && c.q.At.Sub(t.Now).Abs() > freshness {
		return wire.Errorf(wire.Clock, "the clock of the host is %s off",
			c.q.At.Sub(t.Now).Round(time.Second))
	}
	if !c.begun && t.Now.Sub(c.came).Abs() > c.service.GivenUp {
		return wire.Errorf(wire.Unknown, "the service was stopped for a while")
	}
	if c.role == joining {
		return nil
	}
	return c.admitHost(t)
}

func (c *Call) admitHost(t *store.Txn) error {
	var h hosts.Host
	if _, err := t.Load(store.HostKey(c.q.Host), &h); err != nil {
		return err
	}
	if h.Status != hosts.Active {
		return wire.Errorf(wire.Revoked, "the host is not one of the fleet's")
	}
	if _, err := c.opened.Prove(h.PublicKey()); err != nil {
		return wire.Errorf(wire.Revoked, "%v", err)
	}
	if c.role != anyRole && !h.May(c.role, c.service.EnrollHosts) {
		return wire.Errorf(wire.Role, "the host does not have the role %q", c.role)
	}
	var f hosts.Failures
	if _, err := t.Load(store.HostLimitKey(c.q.Host), &f); err != nil {
		return err
	}
	if f.Quarantined(t.Now) {
		return wire.Errorf(wire.Quarantine, "until %s", f.Quarantine.UTC().Format(time.RFC3339))
	}
	return nil
}

// charged counts a wrong code for the host, unless it is not known yet that it is wrong.
func (c *Call) charged(t *store.Txn) error {
	if c.sent {
		c.guessed = true
		return nil
	}
	return c.count(t)
}

// settle counts a code that the user was charged with for the host, now that it is known whether
// the charge was taken back.
func (c *Call) settle(t *store.Txn, takenBack bool) error {
	if !c.guessed || takenBack {
		return nil
	}
	return c.count(t)
}

func (c *Call) count(t *store.Txn) error {
	key := store.HostLimitKey(c.q.Host)
	var f hosts.Failures
	if _, err := t.Load(key, &f); err != nil {
		return err
	}
	if f.Charge(c.service.HostLimits, c.q.User, t.Now) {
		c.quarantine = f.Quarantine
	}
	return t.Store(key, f)
}
