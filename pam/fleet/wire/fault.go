package wire

import (
	"errors"
	"fmt"
)

// Fault is why a question was not done, as one word: from the service, or from the host that got
// no answer it can believe.
type Fault string

// The faults that are about the fleet. Others are about the account that was asked for, and have
// their own tables where both ends of an operation know them.
const (
	Done Fault = "" // none: it was done

	// The service's.
	Revoked    Fault = "revoked"    // the host's key was revoked, or the host was never invited
	Quarantine Fault = "quarantine" // too many wrong codes came from the host
	Role       Fault = "role"       // the host may not ask this
	Unknown    Fault = "unknown"    // whether it was done cannot be told
	Protocol   Fault = "protocol"   // the other side says what makes no sense
	Clock      Fault = "clock"      // a clock is wrong
	Rollback   Fault = "rollback"   // the database is older than what was seen of it
	Quota      Fault = "quota"      // the database is full
	Epoch      Fault = "epoch"      // an answer of an older generation
	Internal   Fault = "internal"   // a mistake of the service's

	// The host's own.
	Unreachable Fault = "unreachable" // there is no TCP connection to any service
	Forged      Fault = "forged"      // signed by no key of the fleet, or for another question
)

// Error is a question that was not done.
type Error struct {
	Fault Fault
	Text  string // for the log
}

func (e *Error) Error() string {
	if e.Text == "" {
		return string(e.Fault)
	}
	return fmt.Sprintf("%s: %s", e.Fault, e.Text)
}

// Errorf makes an Error.
func Errorf(f Fault, format string, args ...any) *Error {
	return &Error{f, fmt.Sprintf(format, args...)}
}

// FaultOf returns the fault that err is about. What is no Error is a mistake: it is never Done.
func FaultOf(err error) Fault {
	var e *Error
	if errors.As(err, &e) && e.Fault != Done {
		return e.Fault
	}
	return Internal
}
