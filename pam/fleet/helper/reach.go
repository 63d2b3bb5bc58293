package main

import (
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"syscall"

	"latchkey/pam/fleet/wire"
)

// noConnection are the errors of connect(2) that say that there is no TCP connection: no one
// listens, or there is no way to the host. This table, with what connecting adds, is the whole
// line between an unreachable fleet, where a host's own codes may count, and every other fault,
// where they never do. What is not in it is another fault.
var noConnection = []syscall.Errno{
	syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN,
	syscall.ENETDOWN, syscall.ETIMEDOUT,
}

// connecting is what an error of making a TCP connection means.
func connecting(err error) wire.Fault {
	var name *net.DNSError
	var code syscall.Errno
	switch {
	case errors.As(err, &name): // no address, so no connection
		return wire.Unreachable
	case errors.As(err, &code):
		if slices.Contains(noConnection, code) {
			return wire.Unreachable
		}
	case isTimeout(err):
		return wire.Unreachable
	}
	return wire.Protocol
}

// talking is what an error means once there is a connection: never that the fleet is unreachable.
func talking(err error) wire.Fault {
	var before *unsent
	switch {
	case isTimeout(err):
		return wire.Unknown
	case errors.As(err, &before):
		return wire.Protocol
	case broken(err):
		return wire.Unknown
	}
	return wire.Protocol
}

func isTimeout(err error) bool {
	var e net.Error
	return errors.As(err, &e) && e.Timeout() || errors.Is(err, os.ErrDeadlineExceeded)
}

// broken reports whether a connection ended before the answer did.
func broken(err error) bool {
	var code syscall.Errno
	return errors.As(err, &code) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
}
