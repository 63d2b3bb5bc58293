// Package method names the ways to prove a second factor: in the policy, in records, in the log
// and at Twilio.
package method

// Method is a way to prove the second factor, or the kind of a device that proves it.
type Method string

// The methods. Policies accept those that All returns; Phone is the kind of a device, used by SMS
// and Call; Bypass belongs to no device.
const (
	TOTP     Method = "totp"     // RFC 6238 code of an authenticator app
	HOTP     Method = "hotp"     // RFC 4226 code of a token with a button and a counter
	Recovery Method = "recovery" // printed code that works once
	SMS      Method = "sms"      // code sent by text message
	Call     Method = "call"     // code spoken in a voice call
	Key      Method = "key"      // security key
	Trust    Method = "trust"    // no code: a computer that the user trusts
	Phone    Method = "phone"    // a number that codes are sent to
	Bypass   Method = "bypass"   // code that root gave out
)

// All returns what a policy can accept, in the documented order. The slice is the caller's.
func All() []Method { return []Method{TOTP, HOTP, Recovery, SMS, Call, Key} }

// Sent reports whether the method needs a message to a phone.
func (m Method) Sent() bool { return m == SMS || m == Call }
