package service

import (
	"errors"

	"latchkey/pam/accounts"
	"latchkey/pam/enrollment"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
)

// enrollByPhone does an operation in which Twilio is asked: a transaction for each of its parts,
// and a last one that keeps the reply for the same question asked again.
func enrollByPhone(c *Call) (store.Reply, error) {
	p := &parts{call: c}
	c.sent = true
	if err := p.begin(); err != nil || p.earlier != nil {
		return p.reply(err)
	}
	a, err := accounts.Serve(accounts.Local{
		Clock: c.service.store.Config.Clock, Twilio: c.service.Verifier, Once: p.once,
	}, p.by, p.user, c.q.Op, c.q.Body)
	if err != nil || p.broken != nil || p.earlier != nil {
		return p.reply(err)
	}
	return p.end(a)
}

// parts are those of one operation.
type parts struct {
	call    *Call
	by      accounts.Caller
	user    record.User
	begun   bool         // a part was done
	earlier *store.Reply // to the same question, which was asked before
	broken  error        // of the database
}

var errStopped = errors.New("the operation was stopped between two parts")

// begin finds out who asks.
func (p *parts) begin() error {
	return p.update(func(t *store.Txn, q wire.Question) (any, error) {
		p.user = Account(q)
		by, err := p.call.caller(t)
		p.by = by
		return nil, err
	})
}

// update does a part, after which there are more.
func (p *parts) update(op func(*store.Txn, wire.Question) (any, error)) error {
	r, err := p.call.update(op, func() bool { return true }, p.begun)
	switch {
	case err != nil:
		p.broken = err
	case !r.Fresh:
		p.earlier = &r
	case r.Fault != wire.Done:
		p.broken = &wire.Error{Fault: r.Fault, Text: r.Text}
	default:
		return nil
	}
	return errStopped
}

// once does a part of what enroll asks for. Its own error is one about the account, and part of
// the answer.
func (p *parts) once(do func(enrollment.Store) error) error {
	var failed error
	err := p.update(func(t *store.Txn, _ wire.Question) (any, error) {
		failed = do(enrollment.Store{Keyring: t.Keyring()})
		return nil, nil
	})
	p.begun, p.call.begun = true, true
	if err != nil {
		return err
	}
	return failed
}

// end keeps the reply, and counts a guess for the host if it was one.
func (p *parts) end(a accounts.Reply) (store.Reply, error) {
	return p.call.update(func(t *store.Txn, _ wire.Question) (any, error) {
		if err := p.call.settle(t, a.TookBack()); err != nil {
			return nil, err
		}
		if st, err := t.Keyring().States.Open(p.user.Name); err == nil {
			err = st.Commit() // a reply is kept with a state that is written
			return a, errors.Join(err, st.Close())
		}
		return a, nil
	}, nil, true)
}

// reply is that of an operation that ended early.
func (p *parts) reply(err error) (store.Reply, error) {
	switch {
	case p.earlier != nil:
		return *p.earlier, nil
	case p.broken != nil:
		return store.Reply{}, p.broken
	}
	return store.Reply{}, err
}
