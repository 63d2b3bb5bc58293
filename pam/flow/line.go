package flow

import (
	"time"

	"latchkey/pam/audit"
)

// Line is the line in the log about an outcome, which took so long without the user's typing.
func (o Outcome) Line(r Request, took time.Duration) audit.Line {
	method := o.Method
	if method == "" {
		method = "none"
	}
	return audit.Line{
		Allow: o.PAM() == 0, User: r.User, Service: r.Service, From: r.From, Method: method, Device: o.Device,
		Reason: string(o.Reason), Tries: o.Tries, Took: took, Detail: o.Detail,
	}
}
