package main

import (
	"errors"

	"latchkey/enroll/explain"
	"latchkey/enroll/fleet/reach"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/past"
	"latchkey/pam/authority"
	"latchkey/pam/gate/names"
	"latchkey/pam/record"
)

// explain says which rule decides a login, what would be asked, and why; with --last, what was
// decided.
func (p *program) explain(o options.Options) error {
	if o.Last {
		return p.explainLast(o)
	}
	who, err := p.recipient(o)
	if err != nil {
		return err
	}
	login, err := p.toExplain(who.User, o)
	if err != nil {
		return err
	}
	e, err := login.Explain()
	if err != nil {
		return err
	}
	if o.JSON {
		return writeJSON(p.Out, e)
	}
	e.Write(p.Out)
	return nil
}

// toExplain is a user's login at this host, by what the command line says of it.
func (p *program) toExplain(u record.User, o options.Options) (explain.Login, error) {
	login := explain.Login{User: u, Service: o.Service, From: o.From, Root: p.root,
		Clock: p.clock, Accounts: p.store(),
		Authority: &authority.Local{Keyring: p.keyring, Verifier: explain.Mute{}, Clock: p.clock},
		Ready:     func() error { return p.AsRoot(p.newVerifier().Ready) }}
	if !p.inFleet() {
		return login, nil
	}
	login.Ready = func() error { return nil } // what its service can do it says by itself
	var err error
	login.Authority, err = reach.Authority(p.root, p.clock)
	return login, err
}

// lastDecisions is how many are shown.
const lastDecisions = 10

// explainLast says what the log says of the last logins of a user, who may be gone, or of all
// users.
func (p *program) explainLast(o options.Options) error {
	name, err := o.Target()
	if err != nil {
		return err
	}
	r := past.Reader{Root: p.root, Clock: p.clock, User: name, From: o.From, Most: lastDecisions}
	if o.Given["service"] {
		r.Service = o.Service
	}
	report, err := r.Read()
	if err != nil {
		return hint.Error(err.Error(), "where the log goes elsewhere, look there for lines with the "+
			"tag latchkey")
	}
	if len(report.Decisions) == 0 && name != "" {
		// a mistyped name must not look like a user who never logged in
		if _, err := lookUp(name); errors.Is(err, record.ErrName) || errors.Is(err, names.ErrUnknown) {
			return err
		}
	}
	if o.JSON {
		return writeJSON(p.Out, report)
	}
	report.Write(p.Out)
	return nil
}
