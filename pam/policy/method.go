package policy

// Method is a way to prove the second factor.
type Method string

// The values of `methods`.
const (
	TOTP     Method = "totp"     // RFC 6238 code of an authenticator app
	HOTP     Method = "hotp"     // RFC 4226 code of a token with a counter
	Recovery Method = "recovery" // single-use recovery code
	SMS      Method = "sms"      // code sent by text message
	Call     Method = "call"     // code spoken in a voice call
	Key      Method = "key"      // security key
)

// AllMethods returns every method, in the order in which they are documented. The slice is the caller's.
func AllMethods() []Method {
	return []Method{TOTP, HOTP, Recovery, SMS, Call, Key}
}

// sent reports whether the method needs a message to a phone.
func (m Method) sent() bool {
	return m == SMS || m == Call
}
