package flow_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/protocol"
)

func TestWrongCodeGoesToTwilioOnlyIfOneWasSent(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.expect(w.login(request(), w.wrong(), noMore), false, verdict.NoAnswer, convErr, bothWrong)
	w.network()
	w.login(request(), "sms", noMore)
	w.twilio.asked = nil
	// In another login too, while the code lives …
	w.expect(w.login(request(), sentCode), true, verdict.OK, success,
		"1 wrong code was refused since Sun 31 Jan 12:00 from 192.0.2.7.")
	w.network("check " + number + " " + sid + " " + sentCode)
	w.twilio.asked = nil
	w.now = w.now.Add(time.Minute)
	w.login(request(), "sms", noMore)
	w.twilio.asked = nil
	// … and not after it.
	w.now = w.now.Add(10 * time.Minute)
	w.expect(w.login(request(), sentCode, noMore), false, verdict.NoAnswer, convErr, bothWrong)
	w.network()
}

func TestWhatCannotBeACodeIsNotCheckedAtTwilio(t *testing.T) {
	for name, typed := range map[string]string{
		"nothing": "", "three digits": "123", "eleven digits": "12345678901", "letters": "abcdef",
		"other digits": "１２３４５６",
		"a megabyte":   strings.Repeat("1", 1<<20), "an unknown phone": "sms 2",
		"a word too many": "sms please",
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

func TestCodeThatWasComparedWithNothingAndNeverReachedTwilioIsNoGuess(t *testing.T) {
	for _, r := range []protocol.Result{
		protocol.Unreachable, protocol.Certificate, protocol.Refused, protocol.Timeout,
		protocol.Failed, protocol.Invalid,
	} {
		t.Run(string(r), func(t *testing.T) {
			w := newPhoneWorld(t, "[limits]\nfailures = \"3/10m\"", onlyPhone())
			w.twilio.check = func(string) protocol.Answer { return answer(r) }
			w.login(request(), "sms", sentCode, sentCode, noMore)
			back := r == protocol.Unreachable || r == protocol.Certificate || r == protocol.Refused
			failures, checks, refused := w.failures(), w.state().Pendings[0].Checks,
				w.state().Refused.Count
			if back != (failures == 0) || back != (checks == 0) || back != (refused == 0) {
				t.Errorf("%d guesses and %d comparisons are charged, %d in a row", failures,
					checks, refused)
			}
		})
	}
}

// FAULTS 34.
func TestGuessThatWasComparedWithAnAppStaysChargedThoughTwilioCannotBeReached(t *testing.T) {
	for _, r := range []protocol.Result{protocol.Unreachable, protocol.Certificate,
		protocol.Refused} {
		w := newPhoneWorld(t, "[limits]\ntries = 10\nfailures = \"10/10m\"")
		w.twilio.check = func(string) protocol.Answer { return answer(r) }
		o := w.login(request(), append([]string{"sms"}, w.wrongs(10)...)...)
		w.expect(o, false, verdict.Service, unavailable,
			"Too many wrong codes. Try again in 15 minutes.")
		w.expect(w.login(request()), false, verdict.Locked, maxTries,
			"Too many wrong codes. Try again in 15 minutes.")
		if checks := w.state().Pendings[0].Checks; checks != 0 {
			t.Errorf("%s: got %d comparisons reserved, want none", r, checks)
		}
	}
}

func TestAppCodeIsNotCheckedAtTwilioAlthoughOneWasSent(t *testing.T) {
	w := newPhoneWorld(t, "")
	o := w.login(request(), "sms", w.code())
	w.expect(o, true, verdict.OK, success, bySMS)
	w.network("sms " + number + " en")
	if o.Method != "totp" {
		t.Errorf("method %s", o.Method)
	}
}

func TestOnlyFiveCodesAreCheckedAtTwilio(t *testing.T) {
	w := newPhoneWorld(t, "[limits]\ntries = 10\nfailures = \"20/10m\"")
	wrong := w.wrongs(6)
	w.login(request(), append(append([]string{"sms"}, wrong...), sentCode, noMore)...)
	if checks := len(w.twilio.asked) - 1; checks != 5 {
		t.Errorf("%d checks", checks)
	}
	if w.failures() != 7 {
		t.Errorf("%d guesses were charged, not 7", w.failures())
	}
}

func TestWrongCodesFromAPhoneLockLikeOthers(t *testing.T) {
	w := newPhoneWorld(t, "[limits]\nfailures = \"2/10m\"")
	o := w.login(request(), "sms", w.wrongs(2)[0], w.wrongs(2)[1])
	w.expect(o, false, verdict.Wrong, maxTries, "Too many wrong codes. Try again in 15 minutes.")
	w.twilio.asked = nil
	w.expect(w.login(request()), false, verdict.Locked, maxTries,
		"Too many wrong codes. Try again in 15 minutes.")
	w.network()
}

func TestLastGuessThatTheLimitAllowsMayBeRight(t *testing.T) {
	w := newPhoneWorld(t, "[limits]\nfailures = \"2/10m\"")
	w.expect(w.login(request(), "sms", w.wrong(), sentCode), true, verdict.OK, success, bothWrong)
	if w.failures() != 1 {
		t.Errorf("%d failures", w.failures())
	}
}

func TestCodeThatTwilioHasForgottenHasExpired(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.twilio.check = func(string) protocol.Answer { return answer(protocol.Gone) }
	const expired = "That code has expired. From your app. Verification code: "
	w.expect(w.login(request(), "sms", sentCode, noMore), false, verdict.NoAnswer, convErr,
		expired)
	if p := w.state().Pendings[0]; !p.Over {
		t.Errorf("it is still pending: %+v", p)
	}
}

func TestOfTwoLoginsThatTwilioApprovesOneCodeOfOnlyOneGetsIn(t *testing.T) {
	w := newPhoneWorld(t, "")
	first := true
	w.twilio.check = func(string) protocol.Answer {
		if first {
			first = false
			other := &world{t: t, root: w.root, phone: w.phone, now: w.now, twilio: w.twilio}
			other.expect(other.login(request(), sentCode), true, verdict.OK, success,
				// the first one's, still in flight
				"1 wrong code was refused since Sun 31 Jan 12:00 from 192.0.2.7.")
		}
		return answer(protocol.Approved)
	}
	const replayed = "Used before: wait for the next code. Verification code: "
	w.expect(w.login(request(), "sms", sentCode, noMore), false, verdict.NoAnswer, convErr,
		replayed)
}

func TestPhoneRemovedWhileItsCodeIsCheckedLetsNoOneIn(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.twilio.check = func(string) protocol.Answer {
		testroot.Must(t, w.root.Store().Remove(enrollment.ByRoot(),
			record.User{Name: "alice", UID: uid}, "mobile"))
		return answer(protocol.Approved)
	}
	o := w.login(request(), "sms", sentCode, noMore)
	if o.Allow {
		t.Errorf("%+v", o)
	}
}

func TestEveryOtherAnswerOfTwilioLetsNoOneIn(t *testing.T) {
	for _, r := range []protocol.Result{
		"", "unheard of", protocol.Sent, protocol.ProbeOK, protocol.Wrong, protocol.Gone,
		protocol.TooManyChecks, protocol.TooManySends,
		protocol.Landline, protocol.Busy, protocol.Blocked, protocol.Refused, protocol.Credentials,
		protocol.Permission,
		protocol.UnknownService, protocol.Failed, protocol.Timeout, protocol.Invalid,
		protocol.Unreachable, protocol.Certificate,
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
			if o.Allow || len(w.twilio.asked) != 1 || w.state().Pendings[0].SID != "" {
				t.Errorf("%+v; Twilio was asked %q; pending %+v", o, w.twilio.asked,
					w.state().Pendings)
			}
			w.detail(o, string(r))
		})
	}
}

func TestCodeThatIsTypedTooLateHasExpired(t *testing.T) {
	w := newPhoneWorld(t, "[limits]\ntries = 1")
	w.onAsk = func() { w.now = w.now.Add(10 * time.Minute) }
	w.expect(w.login(request(), "sms", sentCode), false, verdict.Expired, maxTries, bySMS)
	w.network("sms " + number + " en")
}
