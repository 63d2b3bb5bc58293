package flow

import (
	"latchkey/pam/method"
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
