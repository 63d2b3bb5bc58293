package main

import (
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// attemptStatus is the last login that was let in, or the last one with a wrong code; its JSON is
// an interface.
type attemptStatus struct {
	At      time.Time     `json:"time"`
	From    string        `json:"from"` // empty: not from a literal address
	Service string        `json:"service"`
	Method  method.Method `json:"method,omitempty"` // of one that was let in
	Device  string        `json:"device,omitempty"` // its label, if the user still has it
}

// attemptOf is nil if there was none.
func attemptOf(a state.Attempt, r *record.Record) *attemptStatus {
	if a.At.IsZero() {
		return nil
	}
	s := &attemptStatus{At: a.At.UTC(), Service: a.Service, Method: a.Method}
	if a.From.IsValid() {
		s.From = a.From.String()
	}
	for _, d := range r.Devices {
		if d.ID == a.Device {
			s.Device = d.Label
		}
	}
	return s
}

// String says when, by which service and from where.
func (a *attemptStatus) String() string {
	text := a.At.Format(time.DateTime) + " UTC"
	if a.Service != "" {
		text += ", " + a.Service
	}
	if a.From != "" {
		text += " from " + a.From
	}
	switch {
	case a.Device != "":
		text += ", with " + a.Device
	case a.Method != "":
		text += ", by " + string(a.Method)
	}
	return text
}
