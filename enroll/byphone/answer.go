package byphone

import (
	"errors"
	"fmt"
	"time"

	"latchkey/enroll/hint"
	"latchkey/enroll/plural"
	"latchkey/enroll/refusal"
	"latchkey/pam/accounts"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/twilio/protocol"
)

func notSendable(why string) error {
	return hint.Error(
		fmt.Sprintf("no code could be sent (%s); nothing was changed", why),
		"root can find out more with: enroll doctor",
	)
}

func notBooked(wait time.Duration, err error) error {
	switch {
	case errors.Is(err, factor.ErrNotYet):
		minutes := int(wait.Minutes()) + 1
		next := "try again in " + plural.Of(minutes, "minute")
		return hint.Error(err.Error()+"; nothing was changed", next)
	case errors.Is(err, enrollment.ErrLocked):
		return errLocked
	case errors.Is(err, accounts.ErrCountry):
		return ErrCountry
	}
	return err
}

// heard is what an answer of Twilio's that approves nothing comes to: an error if typing another
// code is no use.
func heard(a protocol.Answer) (verdict.Outcome, error) {
	switch a.Result {
	case protocol.Wrong:
		return verdict.Outcome{Reason: verdict.Wrong}, nil
	case protocol.Gone:
		return verdict.Outcome{Reason: verdict.Expired}, errExpired
	case protocol.TooManyChecks:
		return verdict.Outcome{Reason: verdict.Wrong, Detail: a.Because()}, errEnough
	}
	o := verdict.Outcome{Reason: verdict.Service, Detail: a.Because()}
	return o, notReached("the code could not be checked", a)
}

func notReached(what string, a protocol.Answer) error {
	return hint.Error(what+" ("+a.Because()+"); nothing was changed",
		"root can find out more with: enroll doctor")
}

// Why a code proves nothing, and another one would not either.
var (
	// ErrCountry refuses a number with a prefix that the policy does not allow.
	ErrCountry = hint.Error(
		accounts.ErrCountry.Error(), "see prefixes in latchkey.toml",
	)
	errLocked = hint.Error("too many wrong codes; nothing was changed",
		refusal.Advice(factor.Locked))
	errExpired = hint.Error(
		"that code has expired; nothing was changed", "start again for a new one",
	)
	errEnough = hint.Error(
		"no correct code; nothing was changed",
		"codes for this phone are not compared for now: start again in 10 minutes",
	)
)
