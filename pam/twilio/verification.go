package main

import (
	"errors"

	"latchkey/pam/twilio/protocol"
)

// verification is what an answer says of one; nil is what it does not say.
type verification struct {
	sid, service, account, to, status *string
	valid                             *bool
}

// match reports whether v is what r asked about.
func (v verification) match(r protocol.Request) error {
	switch {
	case v.sid == nil || !protocol.IsVerificationSID(*v.sid):
		return errors.New("the answer has no sid")
	case r.SID != "" && *v.sid != r.SID:
		return errors.New("the answer is about another verification")
	case !is(v.service, r.Service.ServiceSID):
		return errors.New("the answer is about another service")
	case !is(v.account, r.Service.AccountSID):
		return errors.New("the answer is about another account")
	case !is(v.to, r.To):
		return errors.New("the answer is about another number")
	case v.status == nil:
		return errors.New("the answer has no status")
	}
	return nil
}

// started is what a send came to. A verification that was just asked for is pending and nothing
// else.
func started(v verification) protocol.Result {
	if *v.status == "pending" && !v.says(true) {
		return protocol.Sent
	}
	return protocol.Invalid
}

// checked is what a check came to. status and its older twin valid must not contradict each other.
func checked(v verification) protocol.Result {
	switch *v.status {
	case "approved":
		if !v.says(false) {
			return protocol.Approved
		}
	case "pending":
		if !v.says(true) {
			return protocol.Wrong
		}
	case "canceled", "deleted", "expired", "failed":
		return protocol.Gone
	case "max_attempts_reached":
		return protocol.TooManyChecks
	}
	return protocol.Invalid
}

// says reports whether valid is there and is b.
func (v verification) says(b bool) bool { return v.valid != nil && *v.valid == b }

func is(s *string, want string) bool { return s != nil && *s == want }
