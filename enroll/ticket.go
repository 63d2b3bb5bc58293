package main

import (
	"time"

	"latchkey/enroll/hint"
	"latchkey/enroll/refusal"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/policy"
	"latchkey/pam/state"
)

// proveInvited asks for the administrator's ticket where the policy wants one for a first
// enrollment: anyone who stole the password could otherwise enroll a phone of their own. The
// enrollment uses it up.
func (p *program) proveInvited(who identity, began time.Time) (enrollment.Proof, error) {
	rules, err := policy.Load(p.root, policy.DefaultPath)
	if err != nil {
		return enrollment.Proof{}, err
	}
	if !rules.Ticket {
		return enrollment.ByPassword(who.User, began, p.clock), nil
	}
	ticket, err := p.tryTicket(who)
	if err != nil {
		return enrollment.Proof{}, err
	}
	return enrollment.ByTicket(who.User, began, p.clock, ticket), nil
}

// tryTicket asks for a ticket, and returns the one that was given out if it is that. Another one
// is refused, charged and logged like any code.
func (p *program) tryTicket(who identity) (ticket state.OneTimeCode, err error) {
	limits, err := p.limits()
	if err != nil {
		return ticket, err
	}
	answer, err := p.Ask("Ticket from your administrator: ")
	if err != nil {
		return ticket, err
	}
	began, result := p.clock(), factor.Wrong
	if code, possible := normalize.AnyCode(answer); possible && !p.spared(who, answer) {
		err = p.AsRoot(func() error {
			result, ticket, err = p.store().VerifyTicket(who.User, code, p.clock(), limits)
			return err
		})
	}
	if err != nil || result == factor.Accepted {
		return ticket, err
	}
	p.refused(who, verdict.Outcome{Reason: refusal.Reasons[result], Detail: "a ticket"}, began)
	if result == factor.Locked {
		return ticket, hint.Error(
			"too many wrong tickets; nothing was changed", "wait, or ask root for a new one",
		)
	}
	return ticket, errTicket
}

var errTicket = hint.Error(
	"ticket not accepted; nothing was changed", "root gives out a new one with: enroll "+
		"invite NAME",
)
