package protocol

// Result is what came of a request. Its zero value is none of these; only Approved accepts a code.
type Result string

// The results, with the HTTP status and the error number of Twilio
// (https://www.twilio.com/docs/api/errors) behind them.
const (
	Sent     Result = "sent"     // Twilio took the send; the answer has the verification's sid
	Approved Result = "approved" // the code is right, and used up now
	ProbeOK  Result = "probe_ok" // the credentials are good for the service

	// the verification is still pending: another code may be right
	Wrong Result = "wrong"
	// 404, 20404: used, expired or unknown; canceled. Ask for a new code
	Gone Result = "gone"
	// 429, 60202: five codes were checked; a new one can be had once this one expires
	TooManyChecks Result = "too_many_checks"
	TooManySends  Result = "too_many_sends" // 429, 60203: five codes were sent in ten minutes
	// 403, 60205: the number takes no SMS; offer the call
	Landline Result = "landline"
	// 429, 60212 and 20429: not processed, may be tried again later
	Busy Result = "busy"
	// 403, 60238, 60410 and 60605: by Twilio, by its fraud guard, by geo-permission
	Blocked Result = "blocked"
	// 60200, 60220, 60223 and other 4xx; or the request itself is bad and nothing was sent
	Refused     Result = "refused"
	Credentials Result = "credentials" // 401, 20003
	Permission  Result = "permission"  // 403, 70051: the API key lacks a permission
	// send or probe, 404, 20404: there is no such service in this account
	UnknownService Result = "unknown_service"

	// 5xx, or the connection broke after the request: a send may or may not have happened
	Failed      Result = "failed"
	Timeout     Result = "timeout"     // likewise, if the connection was there
	Invalid     Result = "invalid"     // an answer that is not one: likewise
	Unreachable Result = "unreachable" // no connection: nothing was sent
	// no TLS connection that can be trusted: nothing was sent, above all no credential
	Certificate Result = "certificate"
)

// known reports whether r is one of the results.
func (r Result) known() bool {
	switch r {
	case Sent, Approved, ProbeOK, Wrong, Gone, TooManyChecks, TooManySends, Landline, Busy,
		Blocked, Refused, Credentials,
		Permission, UnknownService, Failed, Timeout, Invalid, Unreachable, Certificate:
		return true
	}
	return false
}

// ofVerification reports whether r speaks of one verification, whose sid the answer must then
// have.
func (r Result) ofVerification() bool { return r == Sent || r == Approved || r == Wrong }
