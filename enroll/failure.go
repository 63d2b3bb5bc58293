package main

import (
	"errors"
	"fmt"
	"io"

	"latchkey/enroll/hint"
	"latchkey/pam/safefile"
)

// Exit statuses.
const (
	exitDone   = 0
	exitFailed = 1 // refused or failed; nothing was changed unless the message says so
	exitUsage  = 2
)

// made reports whether a change was made: it may be in force although it could not be made
// durable. Then it is logged and shown like any other, and the error says the rest.
func made(err error) bool { return err == nil || errors.Is(err, safefile.ErrInForce) }

// report writes err for people and returns the exit status.
func report(w io.Writer, err error) int {
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(w, "enroll: error: %v\n", err)
	if next := hint.Of(err); next != "" {
		fmt.Fprintf(w, "enroll: hint: %s\n", next)
	}
	if hint.IsMisuse(err) {
		return exitUsage
	}
	return exitFailed
}
