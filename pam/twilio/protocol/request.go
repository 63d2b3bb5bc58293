package protocol

import (
	"errors"
	"fmt"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/phone"
	"latchkey/pam/twilio/access"
)

// Version is the version of both messages. Both programs are installed together; another version
// means that they were not.
const Version = 1

// MaxTimeout is the longest time that one request may take, from looking up the host to the last
// byte of the answer.
const MaxTimeout = 10 * time.Second

// Action is what latchkey-twilio is to do.
type Action string

// The actions.
const (
	// a code to a number; Twilio joins it to a verification that is pending for the number
	Send  Action = "send"
	Check Action = "check" // a code that the user typed
	Probe Action = "probe" // the credentials, without sending anything
)

// Request is what latchkey-twilio reads: one on its standard input, which then ends.
type Request struct {
	Version int           `json:"version"`
	Action  Action        `json:"action"`
	To      string        `json:"to,omitempty"`      // send, check: a number in E.164
	Channel method.Method `json:"channel,omitempty"` // send
	// send, optional: language of the message, such as "en" or "pt-BR"
	Locale string `json:"locale,omitempty"`
	// check, optional: the verification that the send answered; "" finds it by To
	SID     string          `json:"sid,omitempty"`
	Code    string          `json:"code,omitempty"` // check: 4 to 10 digits
	Service access.Settings `json:"service"`
	// milliseconds, more than 0; MaxTimeout is the cap
	TimeoutMS int `json:"timeout_ms"`
}

// Timeout is how long the request may take, never more than MaxTimeout.
func (r Request) Timeout() time.Duration {
	return time.Duration(min(r.TimeoutMS, int(MaxTimeout/time.Millisecond))) * time.Millisecond
}

// String hides everything but the action: the rest is a number, a code and credentials.
func (r Request) String() string { return fmt.Sprintf("a %s request", r.Action) }

// GoString hides the same from %#v.
func (r Request) GoString() string { return r.String() }

// Validate returns what is wrong with r, without showing any of its values.
func (r Request) Validate() error {
	if r.Version != Version {
		return errVersion
	}
	if r.TimeoutMS <= 0 {
		return errors.New("no timeout")
	}
	if err := r.Service.Validate(); err != nil {
		return err
	}
	return r.validateAction()
}

func (r Request) validateAction() error {
	switch r.Action {
	case Send:
		return r.validateSend()
	case Check:
		return r.validateCheck()
	case Probe:
		return r.validateProbe()
	}
	return errors.New("unknown action")
}

func (r Request) validateSend() error {
	switch {
	case !phone.IsNumber(r.To):
		return errNumber
	case r.Channel != method.SMS && r.Channel != method.Call:
		return errors.New("unknown channel")
	case r.Locale != "" && !phone.IsLocale(r.Locale):
		return errors.New("the locale is not a language")
	case r.SID != "" || r.Code != "":
		return errExtra
	}
	return nil
}

func (r Request) validateCheck() error {
	switch {
	case !phone.IsNumber(r.To):
		return errNumber
	case !isCode(r.Code):
		return errors.New("the code is not 4 to 10 digits")
	case r.SID != "" && !IsVerificationSID(r.SID):
		return errors.New("the verification's sid is not VE and 32 hexadecimal digits")
	case r.Channel != "" || r.Locale != "":
		return errExtra
	}
	return nil
}

func (r Request) validateProbe() error {
	if r.To != "" || r.Channel != "" || r.Locale != "" || r.SID != "" || r.Code != "" {
		return errExtra
	}
	return nil
}

var (
	errVersion = errors.New(
		"the message is of another version of latchkey: install latchkey-login and " +
			"latchkey-twilio together")
	errNumber = errors.New("the number is not in E.164")
	errExtra  = errors.New("a field that this action does not have")
)
