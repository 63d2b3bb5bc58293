package main

import (
	"time"

	"latchkey/enroll/hint"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/flow"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/twilio/protocol"
)

// ownPhone proves that a phone of the user's is at hand. Its code is booked, charged and
// compared as at a login, and is of the same verification as a login's.
type ownPhone struct {
	*program
	who    identity
	phone  *record.Device
	limits factor.Limits
}

// proveOwnPhone has a code typed that is sent to a phone of the user's.
func (p *program) proveOwnPhone(who identity, phone *record.Device, rules *policy.Policy) error {
	proof := ownPhone{p, who, phone, flow.Limits(rules)}
	return (&sentCode{program: p, who: who, phone: phone, rules: rules, proof: proof}).obtain()
}

// book books a send, unless the user is locked: then the code would be no use.
func (o ownPhone) book(sends factor.SendLimits) (time.Duration, error) {
	account, err := o.keyring.Open(o.who.User)
	if err != nil {
		return 0, err
	}
	lockout, err := account.Lockout(o.clock(), o.limits)
	account.Close()
	switch {
	case err != nil:
		return 0, err
	case lockout.Locked():
		return 0, enrollment.ErrLocked
	}
	return o.keyring.BookSend(o.who.User, o.phone.ID, sends, o.clock())
}

func (o ownPhone) keep(sid string, channel method.Method) error {
	voice := channel == method.Call
	pending := state.Pending{Device: o.phone.ID, At: o.clock(), Voice: voice, SID: sid}
	return o.keyring.KeepPending(o.who.User, pending)
}

func (o ownPhone) judge(code, _ string) (flow.Outcome, error) {
	m, standing, err := o.verify(code)
	switch {
	case err != nil:
		return flow.Outcome{}, err
	case m.Result == factor.AskTwilio:
		return o.compare(m, code)
	case m.Result == factor.Accepted: // a code that root has given out meanwhile
		return flow.Outcome{Allow: true, Reason: flow.OK}, nil
	case m.Result == factor.Locked:
		return flow.Outcome{Reason: flow.Locked}, errLocked
	case standing == factor.Outlived:
		return flow.Outcome{Reason: flow.Expired}, errExpired
	case standing == factor.Exhausted:
		return flow.Outcome{Reason: flow.Wrong}, errEnough
	}
	return flow.Outcome{Reason: flow.Wrong}, nil
}

// verify charges a code as a login does, and says how the verification stands. Codes of other
// phones prove nothing here: it is this phone that the change is then made with.
func (o ownPhone) verify(code string) (m factor.Match, standing factor.Standing, err error) {
	account, err := o.keyring.Open(o.who.User)
	if err != nil {
		return m, standing, err
	}
	defer account.Close()
	toPhone := func(p state.Pending) bool { return p.Device == o.phone.ID }
	_, standing = account.Sent(o.clock(), toPhone)
	m, err = account.Verify(factor.Guess{Code: code, At: o.clock(), Sent: toPhone}, o.limits)
	return m, standing, err
}

// compare has Twilio compare a code that was charged.
func (o ownPhone) compare(m factor.Match, code string) (flow.Outcome, error) {
	request := flow.Request{Name: o.who.Name, UID: o.who.UID}
	a, err := flow.AskTwilio(o.newVerifier(), o.keyring, request, m, code, o.limits, o.clock)
	switch {
	case err != nil:
		return flow.Outcome{}, err
	case a.Result == factor.Accepted:
		return flow.Outcome{Allow: true, Reason: flow.OK}, nil
	case a.Answer.Result == protocol.Approved: // and another login was faster
		used := hint.Error("code not accepted; nothing was changed", advice(factor.Replayed))
		return flow.Outcome{Reason: flow.Replayed}, used
	}
	return heard(a.Answer)
}
