package flow

import (
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/twilio/protocol"
)

// Asked is what came of asking Twilio about a code. The zero Asked lets no one in.
type Asked struct {
	// Accepted only if the code is right and lets in this login and no other
	Result factor.Result
	Check  factor.Check    // the comparison that decided, or the last one
	Answer protocol.Answer // to it
	Said   factor.Answer   // what that means
	Free   bool            // the code was compared with nothing, so the guess is no longer charged
}

// AskTwilio has Twilio compare a code with each verification for which Verify has reserved a
// comparison, the latest first, and notes what it said: a login and enroll ask in the same way. No
// account may be open meanwhile.
func AskTwilio(
	v Verifier, k factor.Keyring, r Request, m factor.Match, code string, limits limit.Guesses,
	clock func() time.Time,
) (a Asked, err error) {
	for n, c := range m.Checks {
		a = Asked{Check: c, Answer: v.Check(string(c.Phone.Secret), c.Pending.SID, code)}
		if a.Answer.Result == protocol.Wrong {
			continue
		}
		a.Said = heard(a.Answer)
		a.Free = m.Free(n, a.Said)
		a.Result, err = k.EndCheck(r.Account(), m, n, a.Said, limits, clock())
		break
	}
	return a, err
}

// heard returns what an answer from Twilio means for the verification.
func heard(a protocol.Answer) factor.Answer {
	switch {
	case a.Result == protocol.Approved:
		return factor.Approved
	case a.Result == protocol.Gone:
		return factor.Gone
	case a.Result == protocol.TooManyChecks:
		return factor.Exceeded
	case a.NothingSent():
		return factor.Unreached
	}
	return factor.Unknown
}
