package authority

import (
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/twilio/protocol"
)

// Verifier reaches Twilio Verify. Send and Check are bounded in time, and end early if the host
// goes away.
type Verifier interface {
	// Ready returns why the others cannot even be tried, or nil.
	Ready() error
	// Send has a code sent to a number in E.164.
	Send(number string, channel method.Method, locale string) protocol.Answer
	// Check compares a code with a verification, whose number is given too.
	Check(number, sid, code string) protocol.Answer
}

// Asked is what came of asking Twilio about a code. The zero Asked lets no one in.
type Asked struct {
	// Accepted only if the code is right and lets in this login and no other
	Result factor.Result
	Check  factor.Check    // the comparison that decided, or the last one
	Answer protocol.Answer // to it
	Said   factor.Answer   // what that means
	Free   bool            // the code was compared with nothing, so the guess is no longer charged

	decided bool // by Check
	number  int  // of Check
}

// AskTwilio has Twilio compare a code with each verification for which Verify has reserved a
// comparison, the latest first, until one decides: a login and enroll ask in the same way. No
// account may be open meanwhile. What Twilio said counts once it is noted.
func AskTwilio(v Verifier, m factor.Match, code string) (a Asked) {
	for n, c := range m.Checks {
		a = Asked{Check: c, Answer: v.Check(string(c.Phone.Secret), c.Pending.SID, code)}
		if a.Answer.Result != protocol.Wrong {
			a.decided, a.number, a.Said = true, n, heard(a.Answer)
			a.Free = m.Free(n, a.Said)
			break
		}
	}
	return a
}

// Note notes the answer that decided.
func (a *Asked) Note(k factor.Keyring, u record.User, m factor.Match, limits limit.Guesses,
	now time.Time) (err error) {
	if a.decided {
		a.Result, err = k.EndCheck(u, m, a.number, a.Said, limits, now)
	}
	return err
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

// result is what became of the guess, and whether it counts.
func (a Asked) result() (r Result, charged bool) {
	switch {
	case a.Result == factor.Accepted:
		return Accepted, false
	case a.Said == factor.Approved:
		return Replayed, true
	case a.Said == factor.Gone:
		return Expired, true
	case a.Said == factor.Exceeded, a.Answer.Result == protocol.Wrong && a.Check.Last():
		return Void, true
	case a.Answer.Result == protocol.Wrong:
		return Wrong, true
	}
	return Unchecked, !a.Free
}
