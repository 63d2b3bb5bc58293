package flow

import (
	"time"

	"latchkey/pam/audit"
	"latchkey/pam/flow/verdict"
)

// Line is the line in the log about the outcome of a login, which took so long, not counting the
// user's typing.
func (r Request) Line(o verdict.Outcome, took time.Duration) audit.Line {
	method := o.Method
	if method == "" {
		method = "none"
	}
	return audit.Line{
		Allow: o.PAM() == 0, User: r.User, Service: r.Service, From: r.From, Method: method,
		Device: o.Device,
		Reason: string(o.Reason), Tries: o.Tries, Took: took, Detail: o.Detail,
	}
}
