package flow_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/flow/verdict"
	"latchkey/pam/testroot"
)

func TestRightCodeIsAllowedAndItsStepIsSaved(t *testing.T) {
	w := newWorld(t, "")
	o := w.login(request(), w.code())
	w.expect(o, true, verdict.OK, success, firstText)
	if o.Method != "totp" || o.Device != "phone" || o.Tries != 1 || o.Detail != "" || o.Unlogged {
		t.Errorf("outcome is %+v", o)
	}
	if st := w.state(); st.Device(w.phone.ID).Counter != uint64(w.now.Unix()/30) ||
		len(st.Failures) != 0 {
		t.Errorf("state is %+v", st)
	}
}

func TestSpacesAndDashesInACodeDoNotMatter(t *testing.T) {
	w := newWorld(t, "")
	code := w.code()
	o := w.login(request(), " "+code[:3]+" - "+code[3:]+"\t")
	w.expect(o, true, verdict.OK, success, firstText)
}

func TestAnswerThatCannotBeACodeIsDeniedAndIsNoGuess(t *testing.T) {
	cases := []struct{ name, answer string }{
		{"an empty answer", ""},
		{"a space", " "},
		{"5 digits", "12345"},
		{"7 digits", "1234567"},
		{"digits of another script", "१२३४५६"},
		{"bytes that are no text", "\xff\xfe\xfd\xfc\xfb\xfa"},
		{"a megabyte", strings.Repeat("1", 1<<20)},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, "")
			w.untouched()
			o := w.login(request(), c.answer, c.answer, c.answer)
			w.expect(o, false, verdict.Wrong, maxTries, wrongText)
			w.detail(o, "not a code")
			if o.Tries != 3 || strings.Contains(o.Detail, strings.TrimSpace(c.answer)) &&
				strings.TrimSpace(c.answer) != "" {
				t.Errorf("outcome is %+v", o)
			}
		})
	}
}

func TestWrongCodeIsAGuessAndThreeEndTheLogin(t *testing.T) {
	w := newWorld(t, "")
	o := w.login(request(), w.wrongs(3)...)
	w.expect(o, false, verdict.Wrong, maxTries, wrongText)
	if n := w.failures(); o.Tries != 3 || n != 3 || o.Method != "" || o.Device != "" {
		t.Errorf("%d failures, outcome %+v", n, o)
	}
}

func TestWrongCodeBeforeTheRightOneDoesNotMatter(t *testing.T) {
	w := newWorld(t, "")
	o := w.login(request(), w.wrong(), "12345", w.code())
	w.expect(o, true, verdict.OK, success, wrongText)
	if n := w.failures(); o.Tries != 3 || n != 1 {
		t.Errorf("%d failures, outcome %+v", n, o)
	}
}

func TestPolicySaysHowManyTries(t *testing.T) {
	w := newWorld(t, "[limits]\ntries = 1\n")
	o := w.login(request(), w.wrong())
	w.expect(o, false, verdict.Wrong, maxTries, firstText)
}

func TestSameCodeIsAllowedOnce(t *testing.T) {
	w := newWorld(t, "")
	w.expect(w.login(request(), w.code()), true, verdict.OK, success, firstText)
	o := w.login(request(), w.code(), w.code(), w.code())
	w.expect(o, false, verdict.Replayed, maxTries, replayText)
	if o.Device != "phone" || o.Method != "totp" || o.Tries != 3 || w.failures() != 0 {
		t.Errorf("outcome is %+v", o)
	}
	old := w.code()
	w.now = w.now.Add(30 * time.Second)
	w.expect(w.login(request(), w.code()), true, verdict.OK, success, firstText)
	w.expect(w.login(request(), old, noMore), false, verdict.NoAnswer, convErr, replayText)
}

func TestClockThatIsSetBackBringsNoCodeBack(t *testing.T) {
	w := newWorld(t, "")
	w.expect(w.login(request(), w.code()), true, verdict.OK, success, firstText)
	w.now = w.now.Add(-time.Hour)
	w.expect(w.login(request(), w.code(), noMore), false, verdict.NoAnswer, convErr, replayText)
}

func TestConversationThatFailsIsNoGuess(t *testing.T) {
	w := newWorld(t, "")
	w.untouched()
	o := w.login(request(), noMore)
	w.expect(o, false, verdict.NoAnswer, convErr, firstText)
	if o.Tries != 0 || o.Detail != "" {
		t.Errorf("outcome is %+v", o)
	}
}

func TestConversationThatEndsLeavesEarlierGuessesCharged(t *testing.T) {
	w := newWorld(t, "")
	o := w.login(request(), w.wrong(), noMore)
	w.expect(o, false, verdict.NoAnswer, convErr, wrongText)
	if n := w.failures(); o.Tries != 1 || n != 1 {
		t.Errorf("%d failures, outcome %+v", n, o)
	}
}

func TestFailureOfTheWireIsNamed(t *testing.T) {
	w := newWorld(t, "")
	w.untouched()
	o := w.login(request()) // the test has no answer: an error that is none of the conversation
	w.expect(o, false, verdict.NoAnswer, convErr, firstText)
	w.detail(o, "the test has no answer")
}

func TestWhatSSHDAnswersInTheUsersPlaceIsNoGuess(t *testing.T) {
	junk := "\b\n\r\177INCORRECT"
	for _, answer := range []string{"\b", junk[:6], junk, junk + junk[:3],
		strings.Repeat(junk, 70)[:512], strings.Repeat(junk, 100)} {
		w := newWorld(t, "")
		w.untouched()
		o := w.login(request(), answer)
		w.expect(o, false, verdict.NoAnswer, convErr, firstText)
		w.detail(o, "sshd does not let this user in")
		if o.Tries != 0 || strings.Contains(o.Detail, "INCORRECT") {
			t.Errorf("%d bytes: outcome is %+v", len(answer), o)
		}
	}
}

func TestWhatOnlyLooksLikeThatIsAWrongAnswer(t *testing.T) {
	for _, answer := range []string{"\b\n\r\177INCORRECT1", "\b\b", ""} {
		w := newWorld(t, "[limits]\ntries = 1\n")
		w.expect(w.login(request(), answer), false, verdict.Wrong, maxTries, firstText)
	}
}

func TestAnyDeviceOfTheUsersIsAccepted(t *testing.T) {
	w := newWorld(t, "")
	tablet := testroot.TOTP("tablet")
	tablet.Digits, tablet.Algorithm, tablet.Period = 8, "SHA512", time.Minute
	w.root.Enroll(t, "alice", uid, w.phone, tablet)
	o := w.login(request(), testroot.Code(t, tablet, w.now))
	w.expect(o, true, verdict.OK, success, firstText)
	if o.Device != "tablet" {
		t.Errorf("outcome is %+v", o)
	}
	w.expect(w.login(request(), w.code()), true, verdict.OK, success, firstText)
}

func TestUserSeesOnlyWhatIsMeantForUsers(t *testing.T) {
	w := newWorld(t, "")
	w.login(request(), w.wrong(), "12345", w.code())
	if !slices.Equal(w.shown, []string{firstText, wrongText, wrongText}) {
		t.Errorf("she saw %q", w.shown)
	}
}
