package main

import (
	"time"

	"latchkey/enroll/hint"
	"latchkey/enroll/refusal"
	"latchkey/pam/accounts"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/policy"
)

// proveInvited asks for the administrator's ticket where the policy wants one for a first
// enrollment: anyone who stole the password could otherwise enroll a phone of their own. The
// enrollment uses it up.
func (p *program) proveInvited(who identity, began time.Time) (enrollment.Proof, error) {
	rules, err := policy.Load(p.root, policy.DefaultPath)
	if err != nil {
		return enrollment.Proof{}, err
	}
	needed := rules.Ticket
	err = p.AsRoot(func() (err error) {
		needed, err = p.store().NeedsTicket(rules.Ticket)
		return err
	})
	switch {
	case err != nil:
		return enrollment.Proof{}, err
	case !needed:
		return enrollment.ByPassword(who.User, began, p.clock), nil
	}
	return p.tryTicket(who, began)
}

// tryTicket asks for a ticket, which proves the right to the enrollment if it is the one that was
// given out. Another one is refused, charged and logged like any code.
func (p *program) tryTicket(who identity, since time.Time) (proof enrollment.Proof, err error) {
	limits, err := p.limits()
	if err != nil {
		return proof, err
	}
	answer, err := p.Ask("Ticket from your administrator: ")
	if err != nil {
		return proof, err
	}
	began, result := p.clock(), factor.Wrong
	if code, possible := normalize.AnyCode(answer); possible && !p.spared(who, answer) {
		err = p.AsRoot(func() error {
			result, proof, err = p.store().TryTicket(accounts.Try{User: who.User, Code: code,
				Began: since, Limits: limits})
			return err
		})
	}
	if err != nil || result == factor.Accepted {
		return proof, err
	}
	p.refused(who, verdict.Outcome{Reason: refusal.Reasons[result], Detail: "a ticket"}, began)
	if result == factor.Locked {
		return proof, hint.Error(
			"too many wrong tickets; nothing was changed", "wait, or ask root for a new one",
		)
	}
	return proof, errTicket
}

var errTicket = hint.Error(
	"ticket not accepted; nothing was changed", "root gives out a new one with: enroll "+
		"invite NAME",
)
