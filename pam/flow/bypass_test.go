package flow_test

import (
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// bypass gives alice a code that works for an hour from now.
func (w *world) bypass() string {
	w.t.Helper()
	code, g, err := enrollment.NewOneTimeCode(w.now.Add(time.Hour))
	testroot.Must(w.t, err)
	testroot.Must(w.t, w.root.Store().SetBypass(enrollment.ByRoot(),
		record.User{Name: "alice", UID: uid}, g))
	return code
}

func TestBypassCodeLetsInOnce(t *testing.T) {
	w := newWorld(t, "")
	code := w.bypass()
	o := w.login(request(), code)
	if !o.Allow || o.Reason != verdict.OK || o.Method != "bypass" || o.Device != "" {
		t.Errorf("%+v", o)
	}
	w.expect(w.login(request(), code, noMore), false, verdict.NoAnswer, convErr, wrongText)
}

func TestBypassCodeGivenOutDuringALoginIsAccepted(t *testing.T) {
	w := newWorld(t, "")
	code := w.bypass() // the one that it replaces
	w.onAsk = func() { w.onAsk, code = nil, w.bypass() }
	w.login(request(), code, noMore)
	if o := w.login(request(), code); !o.Allow || o.Method != "bypass" {
		t.Errorf("%+v", o)
	}
}

func TestUserWithNothingThatTheRuleAllowsIsAskedForTheBypassCode(t *testing.T) {
	const rule = "[[rule]]\nrequire = \"code\"\nmethods = [\"hotp\"]\n"
	w := newWorld(t, rule)
	code := w.bypass()
	o := w.login(request(), code)
	if !o.Allow || o.Method != "bypass" {
		t.Errorf("%+v", o)
	}
	w.saw("From your administrator. Verification code: ")
	w.now = w.now.Add(2 * time.Hour)
	w.bypass()
	w.now = w.now.Add(time.Hour)
	w.expect(w.login(request()), false, verdict.Forbidden, maxTries,
		"None of your second factors may be used here. Ask your administrator.")
}

func TestBypassCodeDoesNotEndALock(t *testing.T) {
	w := newWorld(t, "[limits]\nfailures = \"1/10m\"\n")
	w.login(request(), w.wrong())
	w.bypass()
	w.expect(w.login(request()), false, verdict.Locked, maxTries,
		"Too many wrong codes. Try again in 15 minutes.")
}

func TestImportedRecoveryCodeLetsInOnce(t *testing.T) {
	w := newWorld(t, "")
	testroot.Must(t, w.root.Store().SetRecovery(enrollment.ByRoot(),
		record.User{Name: "alice", UID: uid}, enrollment.ImportedRecovery(
			[]string{"12345678", "23456789"})))
	o := w.login(request(), "1234 5678")
	w.expect(o, true, verdict.OK, success,
		"That recovery code is used up; 1 recovery code is left.\nFor new ones run: enroll codes")
	if o.Method != string(method.Recovery) {
		t.Errorf("%+v", o)
	}
	w.expect(w.login(request(), "12345678", noMore), false, verdict.NoAnswer, convErr,
		"That recovery code was used before. Verification code: ")
}
