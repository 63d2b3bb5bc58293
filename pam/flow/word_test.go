package flow_test

import (
	"slices"
	"strings"
	"testing"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

func TestWordsAreNoCodesAndCostNothing(t *testing.T) {
	for _, word := range []string{
		"help", "?", `"HELP"`, "sms", "call", "sms 2", "Call1", "plain", "text", "small",
		"hello", "abcdef", "correct horse battery staple", "für",
	} {
		t.Run(word, func(t *testing.T) {
			w := newWorld(t, "")
			o := w.login(request(), word, word, word, w.code())
			if !o.Allow || o.Tries != 1 || w.failures() != 0 {
				t.Errorf("got %+v, %d failures; want a login with one try", o, w.failures())
			}
			for _, prompt := range w.shown {
				if !strings.HasSuffix(prompt, "Verification code: ") {
					t.Errorf("got %q, want a prompt for a code", prompt)
				}
			}
		})
	}
}

// A client that answers each prompt with a word comes to an end.
func TestWordsWithoutEndAreTriesAndChargeNothing(t *testing.T) {
	w := newWorld(t, "")
	w.untouched()
	o := w.login(request(), slices.Repeat([]string{"sms"}, 13)...)
	w.expect(o, false, verdict.Wrong, maxTries, "No SMS here. From your app. Verification code: ")
	if o.Tries != 3 || w.failures() != 0 {
		t.Errorf("got %+v, %d failures", o, w.failures())
	}
}

func TestHelpShowsWhatTheUserHas(t *testing.T) {
	w := newPhoneWorld(t, "")
	testroot.Must(t, w.root.Store().Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		enrollment.NewPhone("office", otherNumber, testroot.Noon), 0))
	w.newCodes()
	w.login(request(), "help", noMore)
	want := "You can type\n" +
		"  the code that your app shows\n" +
		"  sms 1, and then the code that a text brings to ...1234\n" +
		"  sms 2, and then the code that a text brings to ...8750\n" +
		"  call 1, and then the code that a call brings to ...1234\n" +
		"  call 2, and then the code that a call brings to ...8750\n" +
		"  a recovery code, such as abcde-12345: each works once\n"
	if got := w.shown[1]; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	w = newWorld(t, "")
	w.login(request(), "?", noMore)
	if want := "You can type\n  the code that your app shows\n" +
		"From your app. Verification code: "; w.shown[1] != want {
		t.Errorf("got %q, want %q", w.shown[1], want)
	}
}

func TestAWordThatNamesNoPhoneSaysSo(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.login(request(), "sms 7", noMore)
	if want := "No such phone. From your app, or sms or call. " +
		"Verification code: "; w.shown[1] != want {
		t.Errorf("got %q, want %q", w.shown[1], want)
	}
	w.network()
}

// A recovery code may consist of letters alone. It is none of the words.
func TestARecoveryCodeOfLettersIsACode(t *testing.T) {
	w, _ := newRecoveryWorld(t, "")
	w.login(request(), "btpec-adwtz", noMore)
	if w.failures() != 1 {
		t.Errorf("got %d failures, want 1", w.failures())
	}
}

func TestPromptsStandOnALineOfTheirOwnBesideALongName(t *testing.T) {
	w := newWorld(t, "")
	r := request()
	// "(alice@host) " is in front, at sshd's clients
	r.User, r.BySSHD = strings.Repeat("x", 62), true
	w.login(r, noMore)
	if want := "\n" + firstText; w.shown[0] != want {
		t.Errorf("got %q, want %q", w.shown[0], want)
	}
	r.User = strings.Repeat("x", 20)
	w.login(r, noMore)
	if w.shown[0] != firstText {
		t.Errorf("got %q, want %q", w.shown[0], firstText)
	}
}
