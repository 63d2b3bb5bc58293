package factor

import (
	"crypto/subtle"
	"time"

	"latchkey/pam/factor/owncode"
	"latchkey/pam/method"
	"latchkey/pam/state"
)

// MaxOneTimeCode is the longest that a code given out by root may work. One that claims longer is
// from before the clock was set back, and does not work.
const MaxOneTimeCode = 30 * 24 * time.Hour

// Live reports whether a code given out works at all.
func Live(c state.OneTimeCode, now time.Time) bool {
	return now.Before(c.Until) && c.Until.Sub(now) <= MaxOneTimeCode
}

// Opens reports whether code, which normalize.AnyCode has passed, is the one given out.
func Opens(c state.OneTimeCode, code string, now time.Time) (bool, error) {
	if len(code) != owncode.Length || !Live(c, now) {
		return false, nil
	}
	hash, err := owncode.Hash(code, c.Salt[:])
	return err == nil && subtle.ConstantTimeCompare(hash, c.Hash[:]) == 1, err
}

// compareBypass compares the code with the one that root gave out in place of a device's, and uses
// it up. No rule's methods forbid it: root has said that this user may log in.
func (a *Account) compareBypass(g Guess) (Match, error) {
	ok, err := Opens(a.State.Bypass, g.Code, g.At)
	if err != nil || !ok {
		return Match{compared: len(g.Code) == owncode.Length && Live(a.State.Bypass, g.At)}, err
	}
	a.State.Bypass = state.OneTimeCode{}
	return Match{Result: Accepted, Method: method.Bypass}, nil
}
