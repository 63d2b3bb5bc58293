// Package accounts is what enroll asks about accounts and does to them. On a single host they are
// the host's files: Local. In a fleet they are in its database: Remote asks the fleet's service,
// which has Local work on what it read from there. So there is one piece of code that says what a
// right code is and who may change what.
package accounts

import (
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/takeover"
	"latchkey/pam/trust"
)

// Accounts are the accounts of a host or of a fleet. Errors are those of factor.Keyring and
// enrollment.Store, whichever it is.
type Accounts interface {
	// Record returns what u has.
	Record(u record.User) (*record.Record, error)
	// View returns what u has and how it was used, for display. From a fleet it comes without
	// what could let anyone in: see Redact.
	View(u record.User) (*record.Record, *state.State, error)
	// Names lists the users who have something.
	Names() ([]string, error)

	// NeedsTicket reports whether a first enrollment needs an administrator's ticket, where the
	// host's own policy says so or not.
	NeedsTicket(own bool) (bool, error)
	// Try compares a code with what a user has, as a login does. If it is accepted, the proof
	// gives the right to change what the user has, and it does not otherwise.
	Try(t Try) (factor.Match, enrollment.Proof, error)
	// TryTicket does so with the ticket of a user who has nothing yet.
	TryTicket(t Try) (factor.Result, enrollment.Proof, error)

	// Send has a code sent to a phone, and Judge charges what is typed then before Twilio is asked
	// about it. No account may be open meanwhile.
	Send(s Sending) (Sent, error)
	Judge(a Answered) (Judged, error)

	Changes
}

// Changes are the methods of enrollment.Store that change what a user has.
type Changes interface {
	// TakeOver is takeover.Into.
	TakeOver(p enrollment.Proof, u record.User, e enrollment.Enrollment, replace bool) (
		takeover.Outcome, error)
	Add(p enrollment.Proof, u record.User, d record.Device, counter uint64) error
	Enroll(p enrollment.Proof, u record.User, e enrollment.Enrollment) error
	Remove(p enrollment.Proof, u record.User, labelOrID string) error
	Rename(p enrollment.Proof, u record.User, labelOrID, label string) error
	Exchange(p enrollment.Proof, u record.User, e enrollment.Exchange) error
	SetRecovery(p enrollment.Proof, u record.User, r record.Recovery) error
	Distrust(p enrollment.Proof, u record.User, c Computers) ([]state.Trust, error)
	Reset(p enrollment.Proof, name string) error
	Unlock(p enrollment.Proof, u record.User, limits limit.Guesses, now time.Time) (bool, error)
	SetBypass(p enrollment.Proof, u record.User, c state.OneTimeCode) error
	SetTicket(p enrollment.Proof, u record.User, c state.OneTimeCode) error
}

// Try is a code that a user has typed.
type Try struct {
	User   record.User
	Code   string        // as normalize.AnyCode passes it
	Began  time.Time     // when the user gave the password
	Limits limit.Guesses // of this host; in a fleet, the fleet's count
}

// Computers are some of those that a user trusts. The zero value is none that a user can have.
type Computers struct {
	All   bool        `json:"all,omitempty"`   // those included whose time is over
	Label string      `json:"label,omitempty"` // as trust.Label has it
	One   state.Trust `json:"one,omitzero"`
}

// Has reports whether t is one of them.
func (c Computers) Has(t state.Trust) bool {
	one := c.One != state.Trust{} && c.One.Since.Equal(t.Since)
	c.One.Since = t.Since // whichever way the times are written
	return c.All || c.Label != "" && trust.Label(t) == c.Label || one && t == c.One
}
