package flow_test

import (
	"strings"
	"testing"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// newRecoveryWorld is a world in which alice has an app and recovery codes.
func newRecoveryWorld(t *testing.T, policy string) (w *world, codes []string) {
	t.Helper()
	w = newWorld(t, policy)
	return w, w.newCodes()
}

func (w *world) newCodes() []string {
	w.t.Helper()
	codes, set, err := enrollment.NewRecovery()
	testroot.Must(w.t, err)
	testroot.Must(w.t, w.root.Store().SetRecovery(enrollment.ByRoot(),
		record.User{Name: "alice", UID: uid}, set))
	return codes
}

func TestRecoveryCodeLetsInOnceAndTellsHowManyAreLeft(t *testing.T) {
	w, codes := newRecoveryWorld(t, "")
	o := w.login(request(), codes[3])
	w.expect(o, true, verdict.OK, success,
		"That recovery code is used up; 9 recovery codes are left.\n"+
			"For new ones run: enroll codes")
	if o.Method != "recovery" || w.failures() != 0 {
		t.Errorf("%+v, %d failures", o, w.failures())
	}
	o = w.login(request(), codes[3], noMore)
	w.expect(o, false, verdict.NoAnswer, convErr,
		"That recovery code was used before. Verification code: ")
	w.login(request(), strings.ToUpper(strings.ReplaceAll(codes[4], "-", " ")))
	w.saw(recoveryFirst,
		"That recovery code is used up; 8 recovery codes are left.\n"+
			"For new ones run: enroll codes")
}

func TestWrongRecoveryCodeIsAGuessAndLocks(t *testing.T) {
	w, codes := newRecoveryWorld(t, "[limits]\nfailures = \"2/10m\"")
	w.login(request(), "00000-00000", "11111-11111")
	if len(w.state().Failures) != 2 {
		t.Errorf("%d failures", len(w.state().Failures))
	}
	w.expect(w.login(request()), false, verdict.Locked, maxTries,
		"Too many wrong codes. Try again in 15 minutes.")
	_ = codes
}

func TestNewRecoveryCodesEndTheOldOnesEvenWhileAUserIsAsked(t *testing.T) {
	w, codes := newRecoveryWorld(t, "")
	var fresh []string
	w.onAsk = func() {
		w.onAsk = nil
		fresh = w.newCodes()
	}
	w.expect(w.login(request(), codes[0], noMore), false, verdict.NoAnswer, convErr, recoveryWrong)
	o := w.login(request(), fresh[0])
	if !o.Allow {
		t.Errorf("%+v", o)
	}
}

func TestRecoveryCodeIsNotTakenWhereTheRuleForbidsIt(t *testing.T) {
	w, codes := newRecoveryWorld(t, "[[rule]]\nrequire = \"code\"\nmethods = [\"totp\"]")
	w.expect(w.login(request(), codes[0], noMore), false, verdict.NoAnswer, convErr, wrongText)
	// nothing that could let her in has codes of this form, so it was no guess
	if n := w.failures(); n != 0 {
		t.Errorf("got %d failures, want none", n)
	}
	w, codes = newRecoveryWorld(t, "[[rule]]\nrequire = \"code\"\nmethods = [\"recovery\"]")
	w.login(request(), codes[0])
	w.saw("From your recovery codes. Verification code: ",
		"That recovery code is used up; 9 recovery codes are left.\n"+
			"For new ones run: enroll codes")
}

func TestOldRecordThatIsRestoredBringsNoUsedRecoveryCodeBack(t *testing.T) {
	w, codes := newRecoveryWorld(t, "")
	old := testroot.Read(t, w.root.Record("alice"))
	w.login(request(), codes[0])
	w.newCodes()
	testroot.Write(t, w.root.Record("alice"), old)
	for _, code := range codes[:2] {
		if o := w.login(request(), code, noMore); o.Allow {
			t.Errorf("%+v", o)
		}
	}
}

func TestWhenFewRecoveryCodesAreLeftTheUserIsToldAtEachLogin(t *testing.T) {
	w, codes := newRecoveryWorld(t, "")
	for _, code := range codes[:7] {
		w.login(request(), code)
	}
	w.login(request(), w.code())
	w.saw(recoveryFirst, "Only 3 recovery codes are left. For new ones run: enroll codes")
}

func TestTokenIsAskedForAndItsCodeTakenOnce(t *testing.T) {
	w := newWorld(t, "")
	token := enrollment.NewHOTP("token", []byte("12345678901234567890"), "SHA1", 6, testroot.Noon)
	testroot.Must(t, w.root.Store().Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		token, 0))
	o := w.login(request(), "755224")
	w.expect(o, true, verdict.OK, success, "From your app or token. Verification code: ")
	if o.Method != string(method.HOTP) || o.Device != "token" {
		t.Errorf("%+v", o)
	}
	w.expect(w.login(request(), "755224", noMore), false, verdict.NoAnswer, convErr, replayText)
	w.root.Policy(t, "[[rule]]\nrequire = \"code\"\nmethods = [\"totp\"]")
	w.expect(w.login(request(), "287082", noMore), false, verdict.NoAnswer, convErr, wrongText)
}
