package byphone

import (
	"latchkey/enroll/hint"
	"latchkey/enroll/refusal"
	"latchkey/pam/accounts"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/twilio/protocol"
)

// ProveOwn has a code typed that is sent to a phone of the user's: the phone is at hand. That
// proves the right to a change.
func (p Prover) ProveOwn() (enrollment.Proof, error) {
	c := &sentCode{Prover: p, outcome: p.ofOwn,
		phone: accounts.Phone{User: p.User, Device: p.Phone.ID}}
	if err := c.obtain(); err != nil {
		return enrollment.Proof{}, err
	}
	return c.proof, nil
}

// ofOwn is what became of a code of an own phone.
func (p Prover) ofOwn(j accounts.Judged) (verdict.Outcome, error) {
	m := j.Match
	if m.Result == factor.AskTwilio {
		return p.notApproved(j)
	}
	if !asked(j) {
		p.Compared(m)
	}
	switch {
	case m.Result == factor.Accepted: // also by a code that root has given out meanwhile
		return verdict.Outcome{Allow: true, Reason: verdict.OK}, nil
	case m.Result == factor.Locked:
		return verdict.Outcome{Reason: verdict.Locked}, errLocked
	case j.Standing == factor.Outlived:
		return verdict.Outcome{Reason: verdict.Expired}, errExpired
	case j.Standing == factor.Exhausted:
		return verdict.Outcome{Reason: verdict.Wrong}, errEnough
	}
	return verdict.Outcome{Reason: verdict.Wrong}, nil
}

// asked reports whether Twilio was.
func asked(j accounts.Judged) bool { return j.Answer.Result != "" }

// notApproved is what became of a code that Twilio has not approved for this user.
func (p Prover) notApproved(j accounts.Judged) (verdict.Outcome, error) {
	if !j.Free {
		p.Compared(j.Match)
	}
	if j.Answer.Result == protocol.Approved { // and another login was faster
		used := hint.Error("code not accepted; nothing was changed",
			refusal.Advice(factor.Replayed))
		return verdict.Outcome{Reason: verdict.Replayed}, used
	}
	return heard(j.Answer)
}
