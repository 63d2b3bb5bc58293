package accounts

import (
	"errors"
	"io/fs"
	"slices"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// failure is an error as it goes over the wire: its text, and a word for each error it matches
// that callers tell from others.
type failure struct {
	Text string   `json:"text"`
	Is   []string `json:"is,omitempty"`
}

// words has the errors that callers of Accounts tell apart.
var words = map[string]error{
	"unenrolled": factor.ErrUnenrolled,
	"record":     factor.ErrRecord,
	"state":      factor.ErrState,
	"wait":       factor.ErrNotYet,
	"country":    ErrCountry,
	"enrolled":   enrollment.ErrEnrolled,
	"label":      record.ErrLabel,
	"last":       enrollment.ErrLastDevice,
	"half":       enrollment.ErrHalf,
	"itself":     enrollment.ErrItself,
	"right":      enrollment.ErrRight,
	"late":       enrollment.ErrProof,
	"meanwhile":  enrollment.ErrMeanwhile,
	"ticket":     enrollment.ErrTicket,
	"locked":     enrollment.ErrLocked,
	"absent":     fs.ErrNotExist,
	"name":       record.ErrName,
	"key":        record.ErrNoKey,
	"save":       state.ErrSave,
	"busy":       safefile.ErrBusy,
	"in-force":   safefile.ErrInForce,
}

// Words for errors that callers know by their type.
const (
	isMissing  = "missing"
	isNamesake = "namesake"
)

// failureOf is err as it goes over the wire; nil for none.
func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	f := &failure{Text: err.Error()}
	for word, target := range words {
		if errors.Is(err, target) {
			f.Is = append(f.Is, word)
		}
	}
	if errors.As(err, new(*factor.MissingError)) {
		f.Is = append(f.Is, isMissing)
	}
	if errors.As(err, new(*factor.NamesakeError)) {
		f.Is = append(f.Is, isNamesake)
	}
	slices.Sort(f.Is)
	return f
}

// err is the error that f was made of, as far as callers can tell. A word of a later version is
// passed over: the error stays one.
func (f *failure) err() error {
	if f == nil {
		return nil
	}
	e := &remoteError{text: f.Text}
	for _, word := range f.Is {
		switch target := words[word]; {
		case target != nil:
			e.matches = append(e.matches, target)
		case word == isMissing:
			e.matches = append(e.matches, &factor.MissingError{})
		case word == isNamesake:
			e.matches = append(e.matches, &factor.NamesakeError{})
		}
	}
	return e
}

// remoteError is an error that a fleet's service had.
type remoteError struct {
	text    string
	matches []error
}

func (e *remoteError) Error() string { return e.text }

// Unwrap lets errors.Is and errors.As find what the error matches.
func (e *remoteError) Unwrap() []error { return e.matches }
