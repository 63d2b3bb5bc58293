package protocol

import (
	"errors"
	"fmt"
	"strings"
)

// MaxDetail is the longest Answer.Detail, in bytes.
const MaxDetail = 300

// Answer is what latchkey-twilio writes: one on its standard output, which then ends. Its exit
// status says nothing; no answer, half an answer or one that cannot be decoded is a denial like
// any other.
type Answer struct {
	Version    int    `json:"version"`
	Result     Result `json:"result"`
	SID        string `json:"sid,omitempty"`         // sent, approved, wrong: the verification's
	TwilioCode int    `json:"twilio_code,omitempty"` // Twilio's error number, 0 if it gave none
	HTTPStatus int    `json:"http_status,omitempty"` // 0 if there was no answer
	// for the administrator: printable ASCII, no code, secret or full number
	Detail string `json:"detail,omitempty"`
	// probe: seconds by which Twilio's clock is ahead of this host's
	Skew int64 `json:"skew,omitempty"`
	// probe_ok: digits of the service's codes, 4 to 10; 0 if it did not say
	CodeLength int `json:"code_length,omitempty"`
}

// NothingSent reports whether the request certainly never reached Twilio: then anything charged
// for it can be given back.
func (a Answer) NothingSent() bool {
	return a.Result == Unreachable || a.Result == Certificate || a.Result == Refused &&
		a.HTTPStatus == 0
}

// Because says for the administrator what came of the request, with Twilio's error number where it
// gave one: the log, enroll and doctor say it in the same words, which can be looked up.
func (a Answer) Because() string {
	said := string(a.Result)
	if a.Detail != "" {
		said += ": " + a.Detail
	}
	if a.TwilioCode != 0 {
		said += fmt.Sprintf(" (Twilio error %d)", a.TwilioCode)
	}
	return said
}

// Validate returns what is wrong with a.
func (a Answer) Validate() error {
	switch {
	case a.Version != Version:
		return errVersion
	case !a.Result.known():
		return errors.New("unknown result")
	case a.SID != "" && !IsVerificationSID(a.SID):
		return errors.New("the verification's sid is not VE and 32 hexadecimal digits")
	case a.SID == "" && a.Result.ofVerification():
		return errors.New("no sid")
	case a.HTTPStatus != 0 && (a.HTTPStatus < 100 || a.HTTPStatus > 999):
		return errors.New("no such HTTP status")
	case a.TwilioCode < 0:
		return errors.New("no such error number")
	case a.CodeLength != 0 && (a.Result != ProbeOK || !IsCodeLength(a.CodeLength)):
		return errors.New("no such length of a code")
	case len(a.Detail) > MaxDetail || strings.TrimFunc(a.Detail, printable) != "":
		return errors.New("the detail is not one short line")
	}
	return nil
}

// Answers reports whether a can be the answer to r: a result of its kind, about the verification
// that it named.
func (a Answer) Answers(r Request) bool {
	switch a.Result {
	case Sent:
		return r.Action == Send
	case Approved, Wrong:
		return r.Action == Check && (r.SID == "" || r.SID == a.SID)
	case ProbeOK:
		return r.Action == Probe
	}
	return true
}

func printable(r rune) bool { return ' ' <= r && r <= '~' }
