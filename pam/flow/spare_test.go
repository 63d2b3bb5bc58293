package flow_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"latchkey/pam/flow/verdict"
)

// FAULTS 38.
func TestPasswordOrTheUsersNameIsNoCodeAndCostsNothing(t *testing.T) {
	for name, typed := range map[string]string{"the password": passwordAgain, "her name": "alice",
		"her name and a blank": "alice "} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			o := w.login(request(), append([]string{typed, typed}, w.code())...)
			w.expect(o, true, verdict.OK, success,
				"That is not a code. From your app. Verification code: ")
			if o.Tries != 1 || w.failures() != 0 {
				t.Errorf("got %d tries, %d failures; want 1 and 0", o.Tries, w.failures())
			}
			o = w.login(request(), w.wrongs(2)[0], w.wrongs(2)[1], typed, typed, typed, noMore)
			if o.Tries != 2 {
				t.Errorf("after two wrong codes: got %d tries, want 2", o.Tries)
			}
		})
	}
}

// FAULTS 38.
func TestClientThatAlwaysSendsThePasswordComesToAnEndAndChargesNothing(t *testing.T) {
	w := newWorld(t, "")
	w.untouched()
	o := w.login(request(), slices.Repeat([]string{passwordAgain}, 6)...)
	w.expect(o, false, verdict.Wrong, maxTries,
		"That is not a code. From your app. Verification code: ")
	w.detail(o, "the password or the user's name was sent as the code")
}

// A program with one field sends its password again after a code: the log says what became of that
// code.
func TestPasswordAfterARefusedCodeLeavesItsReasonInTheLog(t *testing.T) {
	w := newWorld(t, "")
	again := slices.Repeat([]string{passwordAgain}, 5)
	code := w.code()
	w.login(request(), code)
	for _, c := range []struct {
		typed  string
		reason verdict.Reason
	}{{code, verdict.Replayed}, {w.wrong(), verdict.Wrong}} {
		o := w.login(request(), append([]string{c.typed}, again...)...)
		if o.Allow || o.Reason != c.reason || strings.Contains(o.Detail, "the password") {
			t.Errorf("%s: got %+v, want %s without a word about the password", c.typed, o, c.reason)
		}
	}
}

// FAULTS 38.
func TestSameWrongCodeAgainInOneLoginIsOneGuess(t *testing.T) {
	w, codes := newRecoveryWorld(t, "")
	wrong := w.wrong()
	o := w.login(request(), wrong, wrong[:3]+" "+wrong[3:], wrong)
	if o.Allow || o.Reason != verdict.Wrong || o.Tries != 3 || w.failures() != 1 {
		t.Errorf("got %+v, %d failures; want one", o, w.failures())
	}
	w.login(request(), "00000-00000", "0000000000", codes[0])
	if w.failures() != 2 {
		t.Errorf("got %d failures, want 2", w.failures())
	}
	w.login(request(), wrong, noMore) // in another login it is another guess
	if w.failures() != 3 {
		t.Errorf("got %d failures, want 3", w.failures())
	}
}

// FAULTS 38.
func TestWhatLooksLikeARecoveryCodeCostsNothingWhereThereAreNone(t *testing.T) {
	w := newWorld(t, "")
	w.untouched()
	w.expect(w.login(request(), "letmein123", "abcde-fgh12", "1234567890"), false, verdict.Wrong,
		maxTries, wrongText)
}

func TestWhatLooksLikeARecoveryCodeIsAGuessWhereOneIsLeftOrRootGaveOneOut(t *testing.T) {
	w, codes := newRecoveryWorld(t, "[limits]\ntries = 10")
	w.login(request(), "letmein123", noMore)
	if w.failures() != 1 {
		t.Errorf("got %d failures, want 1", w.failures())
	}
	for _, code := range codes {
		if o := w.login(request(), code); !o.Allow {
			t.Fatalf("got %+v", o)
		}
	}
	w.login(request(), "letmein124", noMore)
	if w.failures() != 1 {
		t.Errorf("with none left: got %d failures, want 1", w.failures())
	}
	w.bypass()
	w.login(request(), "letmein125", noMore)
	if w.failures() != 2 {
		t.Errorf("with root's: got %d failures, want 2", w.failures())
	}
}

func TestCodeThatWasSentMayHaveFourToTenDigits(t *testing.T) {
	for n := 4; n <= 10; n++ {
		code := "2718281828"[:n]
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			w := newPhoneWorld(t, "")
			w.twilio.check = approves(code)
			w.expect(w.login(request(), "sms", code), true, verdict.OK, success, bySMS)
		})
	}
}
