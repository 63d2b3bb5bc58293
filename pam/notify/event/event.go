// Package event defines what the program of [notify] in latchkey.toml is told.
//
// latchkey.toml(5) documents the fields: their names, and the words of Kind, are an interface. An
// event contains no code, no secret and no phone number.
package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"latchkey/pam/audit"
)

// Kind says what happened.
type Kind string

// The kinds; the list is closed.
const (
	Lock           Kind = "lock"             // too many wrong codes: the second factor was locked
	LoginAfterLock Kind = "login-after-lock" // the first login since then
	DeviceAdded    Kind = "device-added"
	DeviceRemoved  Kind = "device-removed" // one, or with a reset all
	RecoveryUsed   Kind = "recovery-code-used"
	BypassUsed     Kind = "bypass-used"
	BreakGlass     Kind = "break-glass-used" // a login without the fleet, by a code of one host
	Restored       Kind = "backup-restored"
	TrustGiven     Kind = "trust-given"
	NewNetwork     Kind = "new-network" // none of the last networks the user came from
)

// version is the version of the fields.
const version = 1

// Event is one thing that happened. The zero value of a field means that it does not apply.
type Event struct {
	Version int    `json:"version"`
	Kind    Kind   `json:"event"`
	Time    string `json:"time"` // RFC 3339, in UTC
	Host    string `json:"host"`
	User    string `json:"user"`
	Service string `json:"service"` // the PAM service
	From    string `json:"from"`    // the client's address, as the service gave it
	Method  string `json:"method"`  // as in the log
	Device  string `json:"device"`  // its label
	By      string `json:"by"`      // the user who changed a device
	Detail  string `json:"detail"`
}

// New returns an event of that kind and time; the caller fills in the rest.
func New(kind Kind, at time.Time) Event {
	return Event{Version: version, Kind: kind, Time: at.UTC().Format(time.RFC3339)}
}

// maxText is the largest size of one field, in bytes.
const maxText = 255

// clean makes texts from outside short and printable: they end up in mails and on terminals.
func (e Event) clean() Event {
	for _, text := range []*string{
		&e.Host, &e.User, &e.Service, &e.From, &e.Method, &e.Device, &e.By, &e.Detail,
	} {
		*text = printable(*text)
	}
	return e
}

func printable(text string) string {
	text = strings.ToValidUTF8(text[:min(len(text), maxText)], "")
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, text)
}

// Encode returns the line that the program reads.
func (e Event) Encode() ([]byte, error) {
	text, err := json.Marshal(e)
	return append(text, '\n'), err
}

// Untold returns the entry in the log for an event that a program was not told, or failed on.
func (e Event) Untold(program, why string) audit.Untold {
	return audit.Untold{
		Event:   string(e.Kind),
		User:    e.User,
		Program: program,
		Detail:  why,
	}
}

// Job is the work of one latchkey-notify: to run a program once for each event.
type Job struct {
	Program string  `json:"program"`
	Events  []Event `json:"events"`
	JSON    bool    `json:"json,omitempty"` // of what is written into the log
}

// The limits of a job. It is written into a pipe from which no one may be reading yet.
const (
	maxEvents = 8
	maxJob    = 32768
)

// Encode returns a job as latchkey-notify reads it.
func (j Job) Encode() ([]byte, error) {
	if len(j.Events) > maxEvents {
		return nil, fmt.Errorf("%d events at once", len(j.Events))
	}
	clean := make([]Event, len(j.Events))
	for i, e := range j.Events {
		clean[i] = e.clean()
	}
	text, err := json.Marshal(Job{Program: j.Program, Events: clean, JSON: j.JSON})
	if err == nil && len(text) > maxJob {
		err = errors.New("the events are too long")
	}
	return text, err
}

// ReadJob reads what Encode returned, to the end of in.
func ReadJob(in io.Reader) (Job, error) {
	var j Job
	decoder := json.NewDecoder(io.LimitReader(in, maxJob))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&j); err != nil {
		return Job{}, err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return Job{}, errors.New("more than one job")
	}
	return j, nil
}
