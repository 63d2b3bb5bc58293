package byphone

import (
	"time"

	"latchkey/enroll/hint"
	"latchkey/enroll/refusal"
	"latchkey/pam/authority"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/state"
	"latchkey/pam/twilio/protocol"
)

// ownPhone proves that a phone of the user's is at hand. Its code is reserved, charged and
// compared as at a login, and is of the same verification as a login's.
type ownPhone struct{ Prover }

// ProveOwn has a code typed that is sent to a phone of the user's.
func (p Prover) ProveOwn() error {
	return (&sentCode{Prover: p, proof: ownPhone{p}}).obtain()
}

// reserve reserves a send, unless the user is locked: then the code would be no use.
func (o ownPhone) reserve(sends limit.Sends) (time.Duration, error) {
	account, err := o.Keyring.Open(o.User)
	if err != nil {
		return 0, err
	}
	lockout, err := account.Lockout(o.Clock(), o.limits())
	account.Close()
	switch {
	case err != nil:
		return 0, err
	case lockout.Locked():
		return 0, enrollment.ErrLocked
	}
	return o.Keyring.ReserveSend(o.User, o.Phone.ID, sends, o.Clock())
}

func (o ownPhone) keep(sid string, channel method.Method) error {
	voice := channel == method.Call
	pending := state.Pending{Device: o.Phone.ID, At: o.Clock(), Voice: voice, SID: sid}
	return o.Keyring.KeepPending(o.User, pending)
}

func (o ownPhone) judge(code, _ string) (verdict.Outcome, error) {
	m, standing, err := o.verify(code)
	switch {
	case err != nil:
		return verdict.Outcome{}, err
	case m.Result == factor.AskTwilio:
		return o.compare(m, code)
	}
	o.Compared(m)
	switch {
	case m.Result == factor.Accepted: // a code that root has given out meanwhile
		return verdict.Outcome{Allow: true, Reason: verdict.OK}, nil
	case m.Result == factor.Locked:
		return verdict.Outcome{Reason: verdict.Locked}, errLocked
	case standing == factor.Outlived:
		return verdict.Outcome{Reason: verdict.Expired}, errExpired
	case standing == factor.Exhausted:
		return verdict.Outcome{Reason: verdict.Wrong}, errEnough
	}
	return verdict.Outcome{Reason: verdict.Wrong}, nil
}

// verify charges a code as a login does, and says how the verification stands. Codes of other
// phones prove nothing here: it is this phone that the change is then made with.
func (o ownPhone) verify(code string) (m factor.Match, standing factor.Standing, err error) {
	account, err := o.Keyring.Open(o.User)
	if err != nil {
		return m, standing, err
	}
	defer account.Close()
	toPhone := func(p state.Pending) bool { return p.Device == o.Phone.ID }
	_, standing = account.LatestSent(o.Clock(), toPhone)
	guess := factor.Guess{Code: code, At: o.Clock(), Service: "enroll", AcceptsSent: toPhone}
	m, err = account.Verify(guess, o.limits())
	return m, standing, err
}

// compare has Twilio compare a code that was charged.
func (o ownPhone) compare(m factor.Match, code string) (verdict.Outcome, error) {
	a, err := authority.AskTwilio(o.Twilio(), o.Keyring, o.User, m, code, o.limits(), o.Clock)
	switch {
	case err != nil:
		return verdict.Outcome{}, err
	case a.Result == factor.Accepted:
		return verdict.Outcome{Allow: true, Reason: verdict.OK}, nil
	case !a.Free:
		o.Compared(m)
	}
	if a.Answer.Result == protocol.Approved { // and another login was faster
		used := hint.Error("code not accepted; nothing was changed",
			refusal.Advice(factor.Replayed))
		return verdict.Outcome{Reason: verdict.Replayed}, used
	}
	return heard(a.Answer)
}
