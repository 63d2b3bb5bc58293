package main

import (
	"testing"
	"time"

	"latchkey/pam/factor/oath"
	"latchkey/pam/record"
	"latchkey/pam/twilio/standin"
)

// rfcApp is the app that site.withApp gives.
func rfcApp() *record.Device {
	return &record.Device{
		Algorithm: "SHA1", Digits: 6, Period: 30 * time.Second,
		Secret: []byte("12345678901234567890"),
	}
}

func wrongCode() string { d := rfcApp(); return absent(d, oath.Step(d, time.Now())) }

// FAULTS 40: anyone at a session that was left open does not know the password.
func TestTestAsksForThePasswordBeforeItComparesOrChargesAnything(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	for range 12 {
		stranger := s.as(alice, "test")
		talk(t, stranger, "Password: ", "a guess", "password not accepted; nothing was changed")
		exits(t, stranger, exitFailed)
	}
	if got := s.failures(alice); got != 0 {
		t.Errorf("%d failures were charged without the password, want 0", got)
	}
	s.logs()
	owner := s.as(alice, "test")
	talk(t, owner, "Password: ", password, "Verification code: ", codeAt(t, rfcApp(), 0),
		`accepted: device "app" \(totp\)`)
	exits(t, owner, exitDone)
}

// FAULTS 40
func TestACodeRefusedByTestIsChargedAndLoggedAsAtALogin(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.policy("[limits]\nfailures = \"3/10m\"\n")
	s.withApp(alice)
	try := func(code, says string) {
		t.Helper()
		term := s.as(alice, "test")
		talk(t, term, "Password: ", password, "Verification code: ", code, says)
		exits(t, term, exitFailed)
	}
	try(wrongCode(), "code not accepted")
	s.logs(refusedLine(alice, "none", "", "wrong"))
	used := codeAt(t, rfcApp(), 0)
	term := s.as(alice, "test")
	talk(t, term, "Password: ", password, "Verification code: ", used, "accepted")
	exits(t, term, exitDone)
	s.logs()
	try(used, "used before")
	s.logs(refusedLine(alice, "totp", "app", "replayed"))
	if got := s.failures(alice); got != 1 {
		t.Errorf("%d failures after a wrong and a replayed code, want 1", got)
	}
	try("hello", "code not accepted")
	s.logs(refusedLine(alice, "none", "", "wrong"))
	try(wrongCode(), "code not accepted")
	try(wrongCode(), "code not accepted")
	s.logged()
	try(codeAt(t, rfcApp(), 1), "too many wrong codes")
	s.logs(refusedLine(alice, "none", "", "locked"))
	if got := s.failures(alice); got != 3 {
		t.Errorf("%d failures, want 3", got)
	}
}

// The password or the name at the wrong prompt is no guess, even if it looks like a code.
func TestThePasswordTypedAsTheCodeCostsNothing(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	put(t, s.root+"/check", "#!/bin/sh\nexit 0\n", 0o755)
	for _, typed := range []string{"271828", alice.Name} {
		for _, args := range [][]string{{"test"}, {"codes"}} {
			term := s.as(alice, args...)
			talk(t, term, "Password: ", typed, "[Cc]ode.*: ", typed, "code not accepted")
			exits(t, term, exitFailed)
			s.logs(refusedLine(alice, "none", "", "wrong"))
		}
	}
	if got := s.failures(alice); got != 0 {
		t.Errorf("%d failures, want 0", got)
	}
}

func TestRootTestsWithoutAPassword(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	term := started(t, 80, 24, []string{s.exe, "test", "--user", alice.Name})
	talk(t, term, "Verification code: ", wrongCode(), "code not accepted")
	exits(t, term, exitFailed)
	s.logs(refusedLine(alice, "none", "", "wrong"))
}

// FAULTS 40: every command that compares a code.
func TestACodeRefusedAsAProofIsChargedAndLogged(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	for i, args := range [][]string{{"codes"}, {"remove", "app"}, {"add", "totp"},
		{"add", "hotp"}, {"add", "phone"}} {
		stranger := s.as(alice, args...)
		talk(t, stranger, "Password: ", "a guess", "password not accepted; nothing was changed")
		exits(t, stranger, exitFailed)
		s.logs()
		thief := s.as(alice, args...)
		talk(t, thief, "Password: ", password, "Code from a device you have, or a recovery "+
			"code. Verification code: ",
			wrongCode(), "code not accepted")
		exits(t, thief, exitFailed)
		s.logs(refusedLine(alice, "none", "", "wrong"))
		if got := s.failures(alice); got != i+1 {
			t.Errorf("%v: %d failures, want %d", args, got, i+1)
		}
	}
}

// FAULTS 40: tickets, which are codes too.
func TestARefusedTicketIsChargedAndLogged(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.policy("enroll_ticket = true\n")
	s.asRoot("invite", bob.Name)
	s.logged()
	for _, args := range [][]string{{}, {"add", "totp"}, {"add", "hotp"}, {"add", "phone"}} {
		thief := s.as(bob, args...)
		talk(t, thief, "Password: ", password, "Ticket from your administrator: ", "00000-00000",
			"ticket not accepted; nothing was changed")
		exits(t, thief, exitFailed)
		s.logs(refusedLine(bob, "none", "", "wrong"))
	}
	if got := s.failures(bob); got != 4 {
		t.Errorf("%d failures, want 4", got)
	}
	malformed := s.as(bob)
	talk(t, malformed, "Password: ", password, "Ticket from your administrator: ", "no ticket!",
		"ticket not accepted")
	exits(t, malformed, exitFailed)
	s.logs(refusedLine(bob, "none", "", "wrong"))
	if got := s.failures(bob); got != 4 {
		t.Errorf("%d failures after what cannot be a ticket, want 4", got)
	}
}

// A code that confirms a new device is compared with a secret that the user has just been shown:
// there is nothing to guess.
func TestACodeThatDoesNotConfirmANewDeviceIsLoggedAndNotCharged(t *testing.T) {
	s := newSite(t, standin.Options{})
	term := s.as(bob)
	talk(t, term, "Password: ", password)
	d := scan(t, term)
	typed(t, term, absent(d, oath.Step(d, time.Now())))
	talk(t, term, "That code is wrong", "12345", "That code is wrong", "",
		"no correct code; nothing was saved")
	exits(t, term, exitFailed)
	line := refusedLine(bob, "totp", "app", "wrong")
	s.logs(line, line, line)
	if got := s.failures(bob); got != 0 {
		t.Errorf("%d failures, want 0", got)
	}
}
