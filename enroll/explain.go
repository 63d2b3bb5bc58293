package main

import (
	"latchkey/enroll/explain"
	"latchkey/enroll/options"
)

// explain says which rule decides a login, what would be asked, and why.
func (p *program) explain(o options.Options) error {
	who, err := p.recipient(o)
	if err != nil {
		return err
	}
	e, err := explain.Login{User: who.User, Service: o.Service, From: o.From,
		Root: p.root, Clock: p.clock, Keyring: p.keyring,
		Ready: func() error { return p.AsRoot(p.newVerifier().Ready) }}.Explain()
	if err != nil {
		return err
	}
	if o.JSON {
		return writeJSON(p.Out, e)
	}
	e.Write(p.Out)
	return nil
}
