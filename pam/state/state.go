// Package state keeps what changes at login: accepted time steps and counters, failures, locks.
//
// FORMAT.md beside this file is the format. A state file is only ever overwritten in place, under
// its lock, and a new state is on the disk before anyone acts on it.
package state

import (
	"errors"
	"net/netip"
	"time"
)

// Bounds of the format.
const (
	MaxFailures = 64
	MaxDevices  = 32
	MaxSends    = 64
	MaxPendings = 8
	MaxTrusts   = 16
	MaxNetworks = 8
	maxSID      = 40
)

// EnrollmentID ties a state file to the record it was made with.
type EnrollmentID [16]byte

// DeviceID names a device in record and state.
type DeviceID [8]byte

// State is what one user's file holds.
type State struct {
	UID        uint32
	Enrollment EnrollmentID
	Locked     time.Time   // when the second factor was locked; zero: it was not
	Failures   []time.Time // wrong guesses, oldest first, at most MaxFailures
	Devices    []Device    // at most MaxDevices
	Sends      []Send      // codes sent to phones, oldest first, at most MaxSends
	Pendings   []Pending   // verifications at Twilio Verify, oldest first, at most MaxPendings
	Refused    Refused     // wrong guesses since the last right one
	Recovery   Recovery    // the recovery codes that are used
	Next       Recovery    // the same of a set that is about to replace them
	Ticket     OneTimeCode // what a first enrollment may need
	Bypass     OneTimeCode // what works in place of a device's code
	Trusts     []Trust     // computers that need no code, oldest first, at most MaxTrusts
	Clock      time.Time   // the latest time seen, by which trust ends
	Accepted   Attempt     // the last login that was let in
	Denied     Attempt     // the last one with a wrong code
	Networks   []Network   // that the user came from, at most MaxNetworks

	sequence uint64
}

// Device is what one device has used up.
type Device struct {
	ID DeviceID
	// TOTP: the last accepted time step (RFC 6238 section 5.2); HOTP: the next counter (RFC 4226)
	Counter uint64
	Used    time.Time // last accepted code; zero: never
	// HOTP: the counter whose code would resynchronize the token (RFC 4226 section 7.4); 0: none
	Resync uint64
}

// Send is a number of codes sent at about the same time.
type Send struct {
	At    time.Time // of the latest of them
	Count uint32
}

// Pending is a verification at Twilio Verify. The last one of a phone waits for its code; those
// before it are kept as long as an answer about them can still be on its way.
type Pending struct {
	Device DeviceID
	At     time.Time // when it was last sent
	Voice  bool      // it was last sent by a call, not by SMS
	Over   bool      // Twilio no longer compares codes with it
	// Twilio's name for it, at most 40 bytes of ASCII; empty until Twilio has given one
	SID    string
	Checks uint16 // how many codes were compared with it
	Sends  uint16 // how often it was sent
}

// Refused counts the wrong guesses since the last right one, which no window forgets. The zero
// value is none.
type Refused struct {
	Count       uint32
	Told        uint32 // how many of them the user has been told of
	Locked      bool   // they locked the second factor, whether it still is or not
	First, Last time.Time
	// where the last one came from; the zero Addr: not from a literal address
	From netip.Addr
}

// Recovery is what is used up of one set of recovery codes. The zero value is no set.
type Recovery struct {
	Set  SetID
	Used uint64 // a bit for each used code, the first being the lowest
}

// OneTimeCode is a code that root gave out for one use. The zero value is none.
type OneTimeCode struct {
	Until time.Time // it works before
	Salt  [16]byte
	Hash  [32]byte // PBKDF2-HMAC-SHA256 of the code, as of recovery codes
}

// SetID names a set of recovery codes in record and state.
type SetID [8]byte

// Errors that callers tell apart. Those of reading name the file.
var (
	ErrDamaged = errors.New("both slots are damaged")
	ErrNewer   = errors.New("written by another version of latchkey")
	ErrSave    = errors.New("state cannot be saved")
)

// Device returns the device id, or nil if the state knows none of that id: then no code of it may
// be accepted, since it is not known which were used.
func (s *State) Device(id DeviceID) *Device {
	for i := range s.Devices {
		if s.Devices[i].ID == id {
			return &s.Devices[i]
		}
	}
	return nil
}

// Tighten has s count the failures, sends and lock that other counts, where those are more.
func (s *State) Tighten(other *State) {
	if len(other.Failures) > len(s.Failures) {
		s.Failures = other.Failures
	}
	if len(other.Sends) > len(s.Sends) {
		s.Sends = other.Sends
	}
	if other.Locked.After(s.Locked) {
		s.Locked = other.Locked
	}
	if other.Refused.Count >= s.Refused.Count {
		s.Refused = other.Refused
	}
}

// Stricter returns what is used up of a device by either of two counts, the second of which says
// whether a token must resynchronize.
func (d Device) Stricter(other Device) Device {
	other.Counter = max(d.Counter, other.Counter)
	if d.Used.After(other.Used) {
		other.Used = d.Used
	}
	return other
}
