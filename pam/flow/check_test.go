package flow_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/pam/flow"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/protocol"
)

func TestAWrongCodeGoesToTwilioOnlyIfOneWasSent(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.expect(w.login(request(), w.wrong(), noMore), false, flow.NoAnswer, convErr, bothWrong)
	w.network()
	w.login(request(), "sms", noMore)
	w.twilio.asked = nil
	// In another login too, while the code lives …
	w.expect(w.login(request(), sentCode), true, flow.OK, success, bothFirst)
	w.network("check " + number + " " + sid + " " + sentCode)
	w.twilio.asked = nil
	w.now = w.now.Add(time.Minute)
	w.login(request(), "sms", noMore)
	w.twilio.asked = nil
	// … and not after it.
	w.now = w.now.Add(10 * time.Minute)
	w.expect(w.login(request(), sentCode, noMore), false, flow.NoAnswer, convErr, bothWrong)
	w.network()
}

func TestWhatCannotBeACodeIsNotCheckedAtTwilio(t *testing.T) {
	for name, typed := range map[string]string{
		"nothing": "", "five digits": "12345", "seven digits": "1234567", "letters": "abcdef", "other digits": "１２３４５６",
		"a megabyte": strings.Repeat("1", 1<<20), "an unknown phone": "sms 2", "a word too many": "sms please",
	} {
		t.Run(name, func(t *testing.T) {
			w := newPhoneWorld(t, "")
			w.login(request(), "sms", typed, noMore)
			w.network("sms " + number + " en")
			if w.failures() != 0 {
				t.Error("it was charged as a guess")
			}
		})
	}
}

func TestACodeThatNeverReachedTwilioIsNoGuess(t *testing.T) {
	for _, r := range []protocol.Result{protocol.Unreachable, protocol.Certificate, protocol.Refused, protocol.Timeout, protocol.Failed, protocol.Invalid} {
		t.Run(string(r), func(t *testing.T) {
			w := newPhoneWorld(t, "[limits]\nfailures = \"3/10m\"")
			w.twilio.check = func(string) protocol.Answer { return answer(r) }
			w.login(request(), "sms", sentCode, sentCode, noMore)
			back := r == protocol.Unreachable || r == protocol.Certificate || r == protocol.Refused
			if failures, checks := w.failures(), w.state().Pending.Checks; back != (failures == 0) || back != (checks == 0) {
				t.Errorf("%d guesses and %d comparisons are charged", failures, checks)
			}
		})
	}
}

func TestAnAppCodeIsNotCheckedAtTwilioAlthoughOneWasSent(t *testing.T) {
	w := newPhoneWorld(t, "")
	o := w.login(request(), "sms", w.code())
	w.expect(o, true, flow.OK, success, bySMS)
	w.network("sms " + number + " en")
	if o.Method != "totp" {
		t.Errorf("method %s", o.Method)
	}
}

func TestFiveCodesAreCheckedAtTwilioAndNoMore(t *testing.T) {
	w := newPhoneWorld(t, "[limits]\ntries = 10\nfailures = \"20/10m\"")
	wrong := w.wrong()
	w.login(request(), "sms", wrong, wrong, wrong, wrong, wrong, wrong, sentCode, noMore)
	if checks := len(w.twilio.asked) - 1; checks != 5 {
		t.Errorf("%d checks", checks)
	}
	if w.failures() != 7 {
		t.Errorf("%d guesses were charged, not 7", w.failures())
	}
}

func TestWrongCodesFromAPhoneLockLikeOthers(t *testing.T) {
	w := newPhoneWorld(t, "[limits]\nfailures = \"2/10m\"")
	o := w.login(request(), "sms", w.wrong(), w.wrong())
	w.expect(o, false, flow.Wrong, maxTries, "Too many wrong codes. Try again in 15 minutes.")
	w.twilio.asked = nil
	w.expect(w.login(request()), false, flow.Locked, maxTries, "Too many wrong codes. Try again in 15 minutes.")
	w.network()
}

func TestTheLastGuessThatTheLimitAllowsMayBeRight(t *testing.T) {
	w := newPhoneWorld(t, "[limits]\nfailures = \"2/10m\"")
	w.expect(w.login(request(), "sms", w.wrong(), sentCode), true, flow.OK, success, bothWrong)
	if w.failures() != 1 {
		t.Errorf("%d failures", w.failures())
	}
}

func TestACodeThatTwilioHasForgottenHasExpired(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.twilio.check = func(string) protocol.Answer { return answer(protocol.Gone) }
	const expired = `That code has expired. Code, or "sms"/"call": `
	w.expect(w.login(request(), "sms", sentCode, noMore), false, flow.NoAnswer, convErr, expired)
	if w.state().Pending != (state.Pending{}) {
		t.Error("it is still pending")
	}
}

func TestOfTwoLoginsThatTwilioApprovesOneCodeOfOnlyOneGetsIn(t *testing.T) {
	w := newPhoneWorld(t, "")
	first := true
	w.twilio.check = func(string) protocol.Answer {
		if first {
			first = false
			other := &world{t: t, root: w.root, phone: w.phone, now: w.now, twilio: w.twilio}
			other.expect(other.login(request(), sentCode), true, flow.OK, success, bothFirst)
		}
		return answer(protocol.Approved)
	}
	const replayed = `That code was used before. Wait for the next one. Code, or "sms"/"call": `
	w.expect(w.login(request(), "sms", sentCode, noMore), false, flow.NoAnswer, convErr, replayed)
}

func TestAPhoneRemovedWhileItsCodeIsCheckedLetsNobodyIn(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.twilio.check = func(string) protocol.Answer {
		testroot.Must(t, w.root.Keyring().Remove("alice", uid, "mobile"))
		return answer(protocol.Approved)
	}
	o := w.login(request(), "sms", sentCode, noMore)
	if o.Allow {
		t.Errorf("%+v", o)
	}
}

func TestEveryOtherAnswerOfTwilioLetsNobodyIn(t *testing.T) {
	for _, r := range []protocol.Result{
		"", "unheard of", protocol.Sent, protocol.ProbeOK, protocol.Wrong, protocol.Gone, protocol.TooManyChecks, protocol.TooManySends,
		protocol.Landline, protocol.Busy, protocol.Blocked, protocol.Refused, protocol.Credentials, protocol.Permission,
		protocol.UnknownService, protocol.Failed, protocol.Timeout, protocol.Invalid, protocol.Unreachable, protocol.Certificate,
	} {
		t.Run("to a check: "+string(r), func(t *testing.T) {
			w := newPhoneWorld(t, "")
			w.twilio.check = func(string) protocol.Answer { return answer(r) }
			if o := w.login(request(), "sms", sentCode, noMore); o.Allow {
				t.Errorf("%+v", o)
			}
		})
		if r == protocol.Sent {
			continue
		}
		t.Run("to a send: "+string(r), func(t *testing.T) {
			w := newPhoneWorld(t, "")
			w.twilio.send = answer(r)
			o := w.login(request(), "sms", sentCode, noMore)
			if o.Allow || len(w.twilio.asked) != 1 || w.state().Pending.SID != "" {
				t.Errorf("%+v; Twilio was asked %q; pending %+v", o, w.twilio.asked, w.state().Pending)
			}
			w.detail(o, string(r))
		})
	}
}

func TestACodeThatIsTypedTooLateHasExpired(t *testing.T) {
	w := newPhoneWorld(t, "[limits]\ntries = 1")
	w.onAsk = func() { w.now = w.now.Add(10 * time.Minute) }
	w.expect(w.login(request(), "sms", sentCode), false, flow.Expired, maxTries, bySMS)
	w.network("sms " + number + " en")
}
