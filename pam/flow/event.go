package flow

import (
	"latchkey/pam/authority"
	"latchkey/pam/method"
	"latchkey/pam/notify/event"
	"latchkey/pam/policy"
)

// Happened passes on an event of a login, if the policy names a program for it. The user, address
// and method are added when the login is decided.
func (f Flow) Happened(p *policy.Policy, e event.Event) {
	if program := p.Notify.Program; program != "" && f.Notify != nil {
		f.Notify(program, e)
	}
}

func (d *dialog) happened(kind event.Kind, detail string) {
	e := event.New(kind, d.Clock())
	e.Detail = detail
	d.Happened(d.policy, e)
}

// letIn tells a user whose code was accepted, and the program of [notify], what they should know.
func (d *dialog) letIn(g authority.Guessed) {
	d.tellRefused(g.Refused)
	if g.Refused.Locked {
		d.happened(event.LoginAfterLock, "")
	}
	switch {
	case d.began.Offline:
		d.happened(event.BreakGlass, "")
	case g.Method == method.Recovery:
		d.happened(event.RecoveryUsed, "")
	case g.Method == method.Bypass:
		d.happened(event.BypassUsed, "")
	}
	d.network(g.NewNetwork)
}

// network tells of a login from a network that is new.
func (d *dialog) network(isNew bool) {
	if isNew {
		d.happened(event.NewNetwork, d.r.network())
	}
}
