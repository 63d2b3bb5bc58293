package main

import (
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// proveInvited asks for the administrator's ticket where the policy wants one for a first enrollment: whoever stole the password
// would otherwise enroll a phone of their own. The enrollment uses it up.
func (p *program) proveInvited(who identity, began time.Time) (factor.Keyring, error) {
	proven := p.keyring
	proven.Still = factor.Lasting(began, p.clock, stillUnenrolled)
	rules, err := policy.Load(p.root, policy.DefaultPath)
	if err != nil || !rules.Ticket {
		return proven, err
	}
	limits, err := p.limits()
	if err != nil {
		return proven, err
	}
	answer, err := p.ask("Ticket from your administrator: ")
	if err != nil {
		return proven, err
	}
	code, possible := factor.NormalizeAnswer(answer)
	if !possible {
		return proven, errTicket
	}
	err = p.as0(func() error {
		result, ticket, err := p.keyring.VerifyTicket(who.name, who.uid, code, p.clock(), limits)
		switch {
		case err != nil:
			return err
		case result == factor.Locked:
			return &failure{"too many wrong tickets; nothing was changed", "wait, or ask root for a new one"}
		case result != factor.Accepted:
			return errTicket
		}
		proven.Ticket = &ticket
		proven.Still = factor.Lasting(began, p.clock, func(r *record.Record) error {
			if !factor.Live(ticket, p.clock()) {
				return factor.ErrTicket
			}
			return stillUnenrolled(r)
		})
		return nil
	})
	return proven, err
}

var errTicket = &failure{"ticket not accepted; nothing was changed", "root gives out a new one with: enroll invite NAME"}
