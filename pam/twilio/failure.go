package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"

	"latchkey/pam/twilio/protocol"
)

// failure is an exchange that brought no verification, as an error on its way through twilio-go.
type failure struct {
	result protocol.Result
	status int // HTTP, 0 if there was no answer
	code   int // Twilio's, 0 if it gave none
	detail string
}

func (f *failure) Error() string { return f.detail }

// invalid is an answer that is not one.
func invalid(status int, format string, args ...any) *failure {
	return &failure{result: protocol.Invalid, status: status, detail: fmt.Sprintf(format, args...)}
}

// unconnected is a connection that never was. Nothing of the request was sent.
func unconnected(err error) *failure {
	switch {
	case isTimeout(err):
		return &failure{result: protocol.Timeout, detail: "no connection in time"}
	case isTrust(err):
		return &failure{result: protocol.Certificate, detail: err.Error()}
	}
	return &failure{result: protocol.Unreachable, detail: err.Error()}
}

// broken is a connection that was there and brought no whole answer. The text of err is not
// repeated: the server may have written it, and it knows the number and the code by now.
func broken(err error) *failure {
	switch {
	case isTimeout(err):
		return &failure{result: protocol.Timeout, detail: "no answer in time"}
	case isBroken(err):
		return &failure{result: protocol.Failed,
			detail: "the connection broke before the answer ended"}
	}
	return invalid(0, "the answer is not HTTP")
}

func isTimeout(err error) bool {
	var t net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.As(err, &t) && t.Timeout()
}

func isBroken(err error) bool {
	var network *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || errors.As(err, &network)
}

// isTrust reports whether err is a TLS handshake that one side refused, or that was none.
func isTrust(err error) bool {
	var (
		certificate *tls.CertificateVerificationError
		alert       tls.AlertError
		record      tls.RecordHeaderError
		network     *net.OpError
	)
	if errors.As(err, &certificate) || errors.As(err, &record) ||
		errors.Is(err, http.ErrSchemeMismatch) {
		return true
	}
	// crypto/tls wraps the other side's alert in a net.OpError of its own, "remote error".
	return errors.As(err, &alert) || errors.As(err, &network) &&
		(network.Op == "remote error" || network.Op == "local error")
}
