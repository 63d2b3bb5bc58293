package byphone

import (
	"latchkey/pam/accounts"
	"latchkey/pam/factor"
	"latchkey/pam/flow/verdict"
)

// ProveNumber has a code typed that is sent to a number which the user says is theirs.
func (p Prover) ProveNumber() error {
	number := accounts.Phone{User: p.User, Number: string(p.Phone.Secret)}
	return (&sentCode{Prover: p, outcome: ofClaim, phone: number}).obtain()
}

// ofClaim is what became of a code that was sent to a claimed number.
func ofClaim(j accounts.Judged) (verdict.Outcome, error) {
	switch r := j.Match.Result; {
	case r == factor.Accepted:
		return verdict.Outcome{Allow: true}, nil
	case r == factor.Locked && j.Enough:
		return verdict.Outcome{Reason: verdict.Locked, Detail: "too many tries for this number"},
			errEnough
	case r == factor.Locked:
		return verdict.Outcome{Reason: verdict.Locked}, errLocked
	case r != factor.AskTwilio:
		return verdict.Outcome{Reason: verdict.Expired}, errExpired
	}
	o, err := heard(j.Answer)
	if err == nil && j.Enough {
		err = errEnough
	}
	return o, err
}
