package service

import (
	"latchkey/pam/authority"
	"latchkey/pam/factor"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/service/admission"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/policy"
)

// loginOps are the methods of authority.Authority. Bodies are their argument and their result.
func loginOps() map[string]Op {
	once := func(run func(*store.Txn, wire.Question) (any, error)) Op {
		return Op{Role: hosts.Verify, Run: run}
	}
	return map[string]Op{
		"begin": once(begin), "crowded": once(crowded), "trust": once(giveTrust),
		"forget": once(forget), "codes": once(fieldCodes),
		"guess": {Role: hosts.Verify, Steps: guess},
		"send":  {Role: hosts.Verify, Steps: send},
	}
}

// local is the authority for one question: the code that a single host runs, over the fleet's
// accounts and under the fleet's policy.
func local(t *store.Txn) (*authority.Local, error) {
	p, err := PolicyOf(t)
	if err != nil {
		return nil, err
	}
	return &authority.Local{Keyring: t.Keyring(), Clock: t.Clock, Policy: p}, nil
}

// bind makes a login the one of the question: nothing that the host has signed is believed twice.
func bind(l *authority.Login, q wire.Question) {
	l.User, l.Service, l.From, l.Host = Account(q), q.Service, q.From, q.Host
}

// asked is the authority for a question, whose body is read into argument; login is the login in
// that. Trust counts on the host with its key: another machine that takes its place, after it was
// stolen and revoked, has its name and another key.
func asked(t *store.Txn, q wire.Question, argument any, login *authority.Login) (
	*authority.Local, error) {
	l, err := local(t)
	if err == nil {
		err = read(q, argument)
	}
	var h hosts.Host
	if err == nil {
		_, err = t.Load(store.HostKey(q.Host), &h)
	}
	bind(login, q)
	login.Host = h.Name + " " + h.Key
	return l, err
}

func begin(t *store.Txn, q wire.Question) (any, error) {
	var login authority.Login
	l, err := asked(t, q, &login, &login)
	if err != nil {
		return nil, err
	}
	return l.Begin(login)
}

// crowded would have to read the states of all users where a computer is recognized by an address
// alone. No such computer is trusted in a fleet.
func crowded(t *store.Txn, q wire.Question) (any, error) {
	var login authority.Login
	l, err := asked(t, q, &login, &login)
	if err != nil {
		return nil, err
	}
	return !login.Trust.By(policy.BindKey) || l.Crowded(login), nil
}

func giveTrust(t *store.Txn, q wire.Question) (any, error) {
	var trust authority.Trust
	l, err := asked(t, q, &trust, &trust.Login)
	if err != nil {
		return nil, err
	}
	if !trust.Trust.By(policy.BindKey) {
		return nil, wire.Errorf(wire.Role, "computers are trusted by their keys only in a fleet")
	}
	return nil, l.Trust(trust)
}

func forget(t *store.Txn, q wire.Question) (any, error) {
	l, err := local(t)
	if err != nil {
		return nil, err
	}
	return nil, l.Forget(Account(q))
}

func fieldCodes(t *store.Txn, q wire.Question) (any, error) {
	l, err := local(t)
	if err != nil {
		return nil, err
	}
	return l.Codes(Account(q))
}

// guess compares a code. Twilio is asked between two transactions, and only about a code that was
// charged in the first.
func guess(c *Call) (store.Reply, error) {
	var g authority.Guess
	if err := read(c.q, &g); err != nil {
		return store.Reply{}, err
	}
	if code, possible := normalize.AnyCode(g.Code); !possible || code != g.Code {
		return store.Reply{}, wire.Errorf(wire.Protocol, "the code is none")
	}
	var compared authority.Compared
	r, err := c.First(func(t *store.Txn, q wire.Question) (any, error) {
		l, err := local(t)
		if err != nil {
			compared = authority.Compared{}
			return nil, err
		}
		bind(&g.Login, q)
		compared, err = l.Compare(g)
		c.sent = compared.AsksTwilio()
		return compared.Guessed, err
	}, func() bool { return compared.AsksTwilio() })
	if err != nil || !r.Fresh || r.Fault != wire.Done || !compared.AsksTwilio() {
		return r, err
	}
	admission.Outside(c.ctx)
	asked := compared.Ask(c.service.Verifier())
	return c.Last(func(t *store.Txn, _ wire.Question) (any, error) {
		l, err := local(t)
		if err != nil {
			return nil, err
		}
		settled, err := l.Settle(compared, asked)
		if err == nil {
			err = c.settle(t, asked.Free || asked.Said == factor.Approved)
		}
		return settled, err
	})
}

// send has a code sent, after it was reserved and before it is noted.
func send(c *Call) (store.Reply, error) {
	var s authority.Send
	if err := read(c.q, &s); err != nil {
		return store.Reply{}, err
	}
	verifier := c.service.Verifier()
	unready := verifier.Ready()
	var reserved authority.Reserved
	r, err := c.First(func(t *store.Txn, q wire.Question) (any, error) {
		reserved = authority.Reserved{}
		if unready != nil {
			return authority.Sent{Because: unready.Error()}, nil
		}
		l, err := local(t)
		if err != nil {
			return nil, err
		}
		bind(&s.Login, q)
		reserved, err = l.Reserve(s)
		return reserved.Sent, err
	}, func() bool { return reserved.OK() })
	if err != nil || !r.Fresh || r.Fault != wire.Done || !reserved.OK() {
		return r, err
	}
	admission.Outside(c.ctx)
	answer := reserved.Ask(verifier)
	return c.Last(func(t *store.Txn, _ wire.Question) (any, error) {
		l, err := local(t)
		if err != nil {
			return nil, err
		}
		return l.Keep(reserved, answer)
	})
}
