package sshd_test

import (
	"testing"

	"latchkey/sshd/suite"
)

// The harness itself is tested with modules that others wrote: it must see both an allowed and a
// denied login there.

func TestPamUnixAloneTakesThePasswordAndNoOther(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.PlainUnix), user(t, h)
		allowed(t, s, suite.Attempt{User: u.Name, Password: suite.Password})
		denied(t, s, suite.Attempt{User: u.Name, Password: "wrong"})
	})
}

func TestGoogleAuthenticatorTakesItsCodeAndNoOther(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.WithGoogle), user(t, h)
		must(t, u.EnrollGoogle())
		allowed(t, s,
			suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}})
		denied(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: u.WrongCodes()})
	})
}

func TestOathTakesItsCodeAndNoOther(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.WithOath), user(t, h)
		must(t, u.EnrollOath())
		allowed(t, s,
			suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}})
		denied(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: u.WrongCodes()})
	})
}
