package main

import (
	"errors"
	"fmt"
	"time"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/refusal"
	"latchkey/pam/accounts"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/method"
	"latchkey/pam/state"
)

// try says which device a code is from. The code is used up by it, and a wrong one is a failure
// like at a login: so a user other than root gives the password first, or anyone at a session
// that was left open could lock its owner out.
func (p *program) try(o options.Options) error {
	who, err := p.enrolledUser(o.User)
	if err != nil {
		return err
	}
	if p.uid != 0 {
		if err := p.password(who.Name); err != nil {
			return err
		}
	}
	m, _, err := p.tryCode(who, "Verification code: ", p.clock())
	if err != nil {
		return err
	}
	switch {
	case m.Result != factor.Accepted:
		return hint.Error("code not accepted", refusal.Advice(m.Result))
	case m.Method == method.Bypass:
		fmt.Fprintln(p.Out, "accepted: the bypass code from root; it is now used up")
	case m.Device == nil:
		fmt.Fprintln(p.Out, "accepted: a recovery code; it is now used up")
	default:
		fmt.Fprintf(p.Out, "accepted: device %q (%s)\n", m.Device.Label, m.Device.Type)
	}
	return nil
}

// tryCode asks for a code and uses it up. With the password, which was given at that time, it
// proves the right to a change.
func (p *program) tryCode(who identity, prompt string, since time.Time) (
	m factor.Match, proof enrollment.Proof, err error) {
	limits, err := p.limits()
	if err != nil {
		return m, proof, err
	}
	answer, err := p.Ask(prompt)
	if err != nil {
		return m, proof, err
	}
	began := p.clock()
	code, possible := normalize.AnyCode(answer)
	if !possible || p.spared(who, answer) {
		p.refused(who, verdict.Outcome{Reason: verdict.Wrong, Detail: "not a code"}, began)
		return m, proof, nil
	}
	err = p.AsRoot(func() error {
		m, proof, err = p.store().Try(accounts.Try{User: who.User, Code: code, Began: since,
			Limits: limits})
		return err
	})
	switch {
	case errors.Is(err, state.ErrSave):
		p.refused(who, verdict.Outcome{Reason: verdict.State, Detail: err.Error()}, began)
		err = hint.Error(err.Error()+"; the code may count as used, or as a wrong one", diskFails)
	case err == nil && m.Result != factor.Accepted:
		p.refused(who, refusal.Outcome(m), began)
	}
	if err == nil {
		p.compared(who, m)
	}
	return m, proof, err
}

// spared reports whether an answer is the user's own password or name, typed at the wrong
// prompt: it is no code, and costs nothing.
func (p *program) spared(who identity, answer string) bool {
	return answer == who.Name || p.given != "" && answer == p.given
}
