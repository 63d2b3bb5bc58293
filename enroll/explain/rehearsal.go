package explain

import (
	"errors"
	"strings"

	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/method"
	"latchkey/pam/twilio/protocol"
)

// rehearse holds the login up to the first answer, with the arguments of a line in the service's
// stack. It gives the code that PAM gets if there is nothing to answer.
func (l Login) rehearse(e *Explanation, args []string) (code int) {
	silent := &listener{member: l.member}
	o := flow.Flow{
		Root: l.Root, Clock: l.Clock, Talk: silent, Authority: l.Authority,
		Debug: func(string) {}, Rehearsal: true,
	}.Run(flow.Request{User: l.User.Name, Name: l.User.Name, UID: l.User.UID, Lookup: flow.Found,
		Service: e.Service, From: e.From, ByEnroll: e.Service == "enroll", Args: args})
	e.Shown, e.Reason, e.Detail = silent.shown, o.Reason, o.Detail
	if o.Method == string(method.Trust) {
		e.Detail = "the user trusts this computer"
	}
	switch {
	case o.Reason == verdict.MustEnroll:
		e.Result, e.Reason = "enroll", ""
	case o.PAM() == 0:
		e.Result = "allow"
	case silent.asked:
		e.Result, e.Reason = "asked", ""
	default:
		e.Result = "deny"
	}
	return o.PAM()
}

// listener is a user who says nothing.
type listener struct {
	member func(string) (bool, error)
	shown  []string
	asked  bool
}

func (l *listener) Ask(prompt string) (string, error) {
	l.asked = true
	l.shown = append(l.shown, strings.TrimSpace(prompt))
	return "", flow.ErrConversation
}

func (l *listener) Tell(text string) error {
	l.shown = append(l.shown, text)
	return nil
}

func (l *listener) TellLater(text string) error { return l.Tell(text) }

func (l *listener) InGroup(group string) (bool, error) { return l.member(group) }

// Mute is a Twilio Verify that sends nothing.
type Mute struct{}

var errMute = errors.New("explain sends nothing; at a login a code would be sent now")

// Ready implements authority.Verifier.
func (Mute) Ready() error { return errMute }

// Send implements authority.Verifier.
func (Mute) Send(string, method.Method, string) protocol.Answer {
	return protocol.Answer{Result: protocol.Failed}
}

// Check implements authority.Verifier.
func (Mute) Check(string, string, string) protocol.Answer {
	return protocol.Answer{Result: protocol.Failed}
}
