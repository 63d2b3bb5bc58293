package authority

import (
	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/state"
)

// Result is what came of a question, as a word. The zero Result, and any word that is not known,
// lets no one in and asks for nothing.
type Result string

// The results.
const (
	Accepted Result = "accepted" // on the disk, and flushed
	Locked   Result = "locked"   // not compared: too many guesses
	// of a code
	Wrong      Result = "wrong"      // charged
	Impossible Result = "impossible" // not compared: nothing of the user's has codes like this
	Replayed   Result = "replayed"   // it, or a later one of its device, was used before
	Expired    Result = "expired"    // Twilio no longer knows the code that was sent; charged
	Void       Result = "void"       // the code that was sent is no longer compared; charged
	Unchecked  Result = "unchecked"  // Twilio could not say
	// of a beginning
	Ask     Result = "ask"     // for a code
	Nothing Result = "nothing" // there is nothing to ask for
)

// Match is a result, and whose code, key or computer it was.
type Match struct {
	Result     Result
	Method     method.Method // a device's type, how a code was sent, Recovery, Bypass or Trust
	Device     Device        // none's with Recovery and Bypass; only a label with Trust
	Refused    state.Refused // the wrong guesses before this one
	NewNetwork bool          // the user was never let in from this network
	Lockout    limit.Lockout // as it is now
}

// results are the words for those of an account.
var results = [...]Result{
	factor.Wrong: Wrong, factor.Impossible: Impossible, factor.Replayed: Replayed,
	factor.Locked: Locked, factor.Accepted: Accepted,
}

func matchOf(m factor.Match) Match {
	return Match{
		Result: results[m.Result], Method: m.Method, Device: shown(m.Device), Refused: m.Refused,
		NewNetwork: m.NewNetwork, Lockout: m.Lockout,
	}
}
