package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"syscall"
	"testing"

	"latchkey/pam/fleet/wire"
)

// lastErrno is beyond all that Linux has.
const lastErrno = 200

// unconnected are the errors of connect(2) that this test, and no other list, says are ones where
// there is no TCP connection.
var unconnected = []syscall.Errno{
	syscall.ECONNREFUSED, syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN,
	syscall.ENETDOWN, syscall.ETIMEDOUT,
}

// dialed is an error as package net wraps it.
func dialed(err error) error {
	return &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", err)}
}

func TestOnlyAConnectionThatWasNotMadeIsUnreachable(t *testing.T) {
	for code := syscall.Errno(1); code < lastErrno; code++ {
		want := wire.Protocol
		if slices.Contains(unconnected, code) {
			want = wire.Unreachable
		}
		if got := connecting(dialed(code)); got != want {
			t.Errorf("connect: %v: got %s, want %s", code, got, want)
		}
	}
	for name, c := range map[string]struct {
		err  error
		want wire.Fault
	}{
		"no such host":       {&net.DNSError{IsNotFound: true}, wire.Unreachable},
		"a slow name server": {&net.DNSError{IsTimeout: true}, wire.Unreachable},
		"a bad name server":  {&net.DNSError{IsTemporary: true}, wire.Unreachable},
		"its name in dial":   {&net.OpError{Op: "dial", Err: &net.DNSError{}}, wire.Unreachable},
		"a slow connection":  {dialed(os.ErrDeadlineExceeded), wire.Unreachable},
		"the deadline":       {context.DeadlineExceeded, wire.Unreachable},
		"given up":           {context.Canceled, wire.Protocol},
		"an address":         {&net.AddrError{Err: "missing port"}, wire.Protocol},
		"a port":             {net.UnknownNetworkError("tcp9"), wire.Protocol},
		"an end":             {io.EOF, wire.Protocol},
		"anything":           {errors.New("anything"), wire.Protocol},
	} {
		if got := connecting(c.err); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

func TestNothingIsUnreachableOnceThereIsAConnection(t *testing.T) {
	var errs []error
	for code := syscall.Errno(1); code < lastErrno; code++ {
		errs = append(errs, &net.OpError{Op: "read", Err: os.NewSyscallError("read", code)})
	}
	errs = append(errs, io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, os.ErrDeadlineExceeded,
		context.DeadlineExceeded, context.Canceled, net.ErrClosed, &net.DNSError{IsTimeout: true},
		x509.UnknownAuthorityError{}, x509.HostnameError{}, x509.CertificateInvalidError{},
		&senseless{"x"}, errors.New("anything"))
	for _, err := range errs {
		for _, err := range []error{err, &unsent{err}, fmt.Errorf("wrapped: %w", err)} {
			if got := talking(err); got != wire.Protocol && got != wire.Unknown {
				t.Errorf("%v: got %s", err, got)
			}
		}
	}
}

// The whole decision: every combination of what became of three services.
func TestFleetIsUnreachableOnlyIfEveryServiceIs(t *testing.T) {
	all := []wire.Fault{wire.Unreachable, wire.Protocol, wire.Unknown}
	for _, a := range all {
		for _, b := range all {
			for _, c := range all {
				var failed []result
				worst := wire.Unreachable
				for _, f := range []wire.Fault{a, b, c} {
					failed = append(failed, failedWith(f, "https://s", errors.New("x")))
					if f == wire.Unknown || f == wire.Protocol && worst != wire.Unknown {
						worst = f
					}
				}
				if got := summary(failed).End; got != worst {
					t.Errorf("%s, %s, %s: got %s, want %s", a, b, c, got, worst)
				}
			}
		}
	}
}
