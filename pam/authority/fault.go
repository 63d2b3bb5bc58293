package authority

import (
	"errors"

	"latchkey/pam/factor"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Fault is an error as a word that goes over a wire. The zero Fault is none; one that is not known
// is Internal.
type Fault string

// Internal is any error that callers do not tell from others.
const Internal Fault = "internal"

// faults has the errors that callers tell apart, the special ones first: an error that matches all
// of a row is that fault, and the other way around.
var faults = []struct {
	word    Fault
	matches []error
}{
	{"unenrolled", []error{factor.ErrUnenrolled}},
	{"gone", []error{factor.ErrState, safefile.ErrGone}},
	{"busy", []error{factor.ErrState, safefile.ErrBusy}},
	{"save", []error{factor.ErrState, state.ErrSave}},
	{"state", []error{factor.ErrState}},
	{"record", []error{factor.ErrRecord}},
}

// FaultOf is the word for an error; empty for none.
func FaultOf(err error) Fault {
	if err == nil {
		return ""
	}
	for _, f := range faults {
		if matchesAll(err, f.matches) {
			return f.word
		}
	}
	return Internal
}

func matchesAll(err error, targets []error) bool {
	for _, target := range targets {
		if !errors.Is(err, target) {
			return false
		}
	}
	return true
}

// Known reports whether f is about an account: a word of the table.
func (f Fault) Known() bool {
	for _, known := range faults {
		if known.word == f {
			return true
		}
	}
	return false
}

// Error is the error of a fault, with its text: callers and the log cannot tell it from the one
// that FaultOf was given. It is never nil.
func (f Fault) Error(text string) error {
	for _, known := range faults {
		if known.word == f {
			return &faultError{text, known.matches}
		}
	}
	return &faultError{text: text}
}

type faultError struct {
	text    string
	matches []error
}

func (e *faultError) Error() string { return e.text }

// Unwrap lets errors.Is find all that the error matches.
func (e *faultError) Unwrap() []error { return e.matches }
