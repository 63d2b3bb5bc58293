// Package state keeps what changes at login: accepted time steps and counters, failures, locks.
//
// FORMAT.md beside this file is the format. A state file is only ever overwritten in place, under its lock, and
// a new state is on the disk before anybody acts on it.
package state

import (
	"errors"
	"time"
)

// Bounds of the format.
const (
	MaxFailures = 64
	MaxDevices  = 32
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

	sequence uint64
}

// Device is what one device has used up.
type Device struct {
	ID      DeviceID
	Counter uint64    // TOTP: the last accepted time step (RFC 6238 section 5.2); HOTP: the next counter (RFC 4226)
	Used    time.Time // last accepted code; zero: never
}

// Errors that callers tell apart. Those of reading name the file.
var (
	ErrDamaged = errors.New("both slots are damaged")
	ErrNewer   = errors.New("written by another version of latchkey")
	ErrSave    = errors.New("state cannot be saved")
)

// Device returns the device id, or nil if the state knows none of that id: then no code of it may be accepted, since
// nobody can tell which were used.
func (s *State) Device(id DeviceID) *Device {
	for i := range s.Devices {
		if s.Devices[i].ID == id {
			return &s.Devices[i]
		}
	}
	return nil
}
