package byphone

import (
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/twilio/protocol"
)

// claim proves that a new number is the user's. Wrong codes are charged to the user; and of the
// number's verification at Twilio, which may be another user's login, a claim uses up no more
// than its bounds.
type claim struct {
	Prover
	number enrollment.Claim
}

// ProveNumber has a code typed that is sent to a number which the user says is theirs.
func (p Prover) ProveNumber() error {
	number := enrollment.Claim{User: p.User, Number: string(p.Phone.Secret)}
	return (&sentCode{Prover: p, proof: claim{p, number}}).obtain()
}

func (c claim) reserve(sends limit.Sends) (time.Duration, error) {
	return c.store().ReserveClaim(c.number, sends, c.limits(), c.Clock())
}

// keep keeps nothing: the code is of no use but here.
func (c claim) keep(string, method.Method) error { return nil }

func (c claim) judge(code, sid string) (verdict.Outcome, error) {
	checked, err := c.store().CheckClaim(c.number, c.limits(), c.Clock())
	switch {
	case err != nil:
		return verdict.Outcome{}, err
	case checked.Result == factor.Locked && checked.Enough:
		return verdict.Outcome{Reason: verdict.Locked, Detail: "too many tries for this number"},
			errEnough
	case checked.Result == factor.Locked:
		return verdict.Outcome{Reason: verdict.Locked}, errLocked
	case checked.Result != factor.AskTwilio:
		return verdict.Outcome{Reason: verdict.Expired}, errExpired
	}
	a := c.Twilio().Check(c.number.Number, sid, code)
	if a.Result == protocol.Approved {
		err := c.store().EndClaim(c.number, checked, c.limits())
		return verdict.Outcome{Allow: err == nil}, err
	}
	o, err := heard(a)
	if err == nil && checked.Enough {
		err = errEnough
	}
	return o, err
}
