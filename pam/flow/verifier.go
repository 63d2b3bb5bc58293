package flow

import (
	"latchkey/pam/policy"
	"latchkey/pam/twilio/protocol"
)

// Verifier reaches Twilio Verify. Neither call holds a lock, and both are bounded in time.
type Verifier interface {
	// Send has a code sent to a number in E.164.
	Send(number string, channel policy.Method, locale string) protocol.Answer
	// Check compares a code with a verification, whose number is given too.
	Check(number, sid, code string) protocol.Answer
	// Gone tells whether the host went away meanwhile: then there is nobody to ask any more.
	Gone() bool
}
