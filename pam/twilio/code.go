package main

import (
	"net/http"

	"latchkey/pam/twilio/protocol"
)

// results are what Twilio's error numbers mean (https://www.twilio.com/docs/api/errors).
var results = map[int]protocol.Result{
	20003: protocol.Credentials,
	20404: protocol.Gone,
	20429: protocol.Busy,
	60200: protocol.Refused,
	60202: protocol.TooManyChecks,
	60203: protocol.TooManySends,
	60205: protocol.Landline,
	60212: protocol.Busy,
	60220: protocol.Refused,
	60223: protocol.Refused,
	60238: protocol.Blocked,
	60410: protocol.Blocked,
	60605: protocol.Blocked,
	70051: protocol.Permission,
}

// refusal is what an answer with an HTTP status from 400 on means; code is Twilio's number, 0 if
// it gave none. A number cannot make a server's failure (5xx) anything else, and a 404 without one
// is not from Verify.
func refusal(status, code int) protocol.Result {
	result, known := results[code]
	switch {
	case status >= 500:
		return protocol.Failed
	case known:
		return result
	case status == http.StatusUnauthorized:
		return protocol.Credentials
	case status == http.StatusTooManyRequests:
		return protocol.Busy
	case status == http.StatusNotFound && code == 0:
		return protocol.Invalid
	}
	return protocol.Refused
}
