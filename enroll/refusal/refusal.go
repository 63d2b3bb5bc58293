// Package refusal says why a code was not accepted: to the log, and to the person who typed it.
package refusal

import (
	"latchkey/pam/factor"
	"latchkey/pam/flow"
)

// Outcome is what the log says of a code that was not accepted.
func Outcome(m factor.Match) flow.Outcome {
	o := flow.Outcome{Reason: Reasons[m.Result], Method: string(m.Method)}
	if m.Device != nil {
		o.Device = m.Device.Label
	}
	return o
}

// Reasons are the log's words for results.
var Reasons = map[factor.Result]flow.Reason{
	factor.Wrong: flow.Wrong, factor.Replayed: flow.Replayed, factor.Locked: flow.Locked,
	factor.Impossible: flow.Wrong,
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
