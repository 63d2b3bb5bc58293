// Package refusal says why a code was not accepted: to the log, and to the person who typed it.
package refusal

import (
	"latchkey/pam/factor"
	"latchkey/pam/flow/verdict"
)

// Outcome is what the log says of a code that was not accepted.
func Outcome(m factor.Match) verdict.Outcome {
	o := verdict.Outcome{Reason: Reasons[m.Result], Method: string(m.Method)}
	if m.Device != nil {
		o.Device = m.Device.Label
	}
	return o
}

// Reasons are the log's words for results.
var Reasons = map[factor.Result]verdict.Reason{
	factor.Wrong: verdict.Wrong, factor.Replayed: verdict.Replayed, factor.Locked: verdict.Locked,
	factor.Impossible: verdict.Wrong,
}

// Advice says why a code was not accepted, as far as its owner may know.
func Advice(r factor.Result) string {
	switch r {
	case factor.Replayed:
		return "this code was used before; wait for the next one"
	case factor.Locked:
		return "too many wrong codes; wait, or ask root for: enroll unlock NAME"
	}
	return "check that it is this account's entry in the app, and that the phone's clock is right"
}
