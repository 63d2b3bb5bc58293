package flow_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/protocol"
)

func TestWithoutSettingsNothingIsCountedAsSent(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.twilio.ready = errors.New("twilio.toml:3: unknown key")
	o := w.login(request(), "sms", "sms", "sms", w.code())
	w.expect(o, true, verdict.OK, success, "No SMS to ...1234. From your app. Verification code: ")
	w.detail(o, "twilio.toml:3: unknown key")
	w.network()
	if len(w.state().Sends) != 0 {
		t.Error("it was counted as sent")
	}
}

func TestNumberOutsideTheAllowedPrefixesIsRefusedWithoutTheNetwork(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.root.Policy(t, "[phone]\nprefixes = [\"+44\"]")
	o := w.login(request(), "sms", noMore)
	w.network()
	w.detail(o, "none of the prefixes")
	if len(w.state().Sends) != 0 {
		t.Error("it was counted as sent")
	}
}

func TestWaitBetweenTwoSendsDoubles(t *testing.T) {
	w := newPhoneWorld(t, "")
	for _, seconds := range []int{0, 30, 60, 120, 240} {
		if seconds > 0 {
			w.now = w.now.Add(time.Duration(seconds)*time.Second - time.Second)
			w.login(request(), "sms", noMore)
			if last := w.shown[1]; last != "Ask again in a second. From your app. Verification "+
				"code: " {
				t.Fatalf("a second too early: %q", last)
			}
			w.now = w.now.Add(time.Second)
		}
		w.login(request(), "sms", noMore)
		if w.shown[1] != bySMS {
			t.Fatalf("after %d seconds: %q", seconds, w.shown[1])
		}
	}
	if len(w.twilio.asked) != 5 {
		t.Errorf("%d sends", len(w.twilio.asked))
	}
	w.now = w.now.Add(10 * time.Minute)
	w.login(request(), "sms", noMore)
	if !strings.HasPrefix(w.shown[1], "Ask again in 43 minutes. ") {
		t.Errorf("the sixth within an hour: %q", w.shown[1])
	}
	w.now = w.now.Add(43 * time.Minute)
	w.login(request(), "sms", noMore)
	if w.shown[1] != bySMS {
		t.Errorf("after an hour: %q", w.shown[1])
	}
}

func TestAskingCostsNoTryButEndsSomeTime(t *testing.T) {
	w := newPhoneWorld(t, "")
	o := w.login(request(), "sms", "sms", "sms", "sms", "sms", w.code())
	w.expect(o, true, verdict.OK, success,
		"Ask again in 30 seconds. From your app. Verification code: ")
	w.network("sms " + number + " en")
	w.now = w.now.Add(time.Hour)
	o = w.login(request(), slices.Repeat([]string{"call"}, 12)...)
	if o.Allow || w.failures() != 0 {
		t.Errorf("%+v, %d failures", o, w.failures())
	}
}

func TestHostsLimitOnSendsHoldsForAllUsersTogether(t *testing.T) {
	w := newPhoneWorld(t, "[phone]\nsends_per_host = \"2/1h\"")
	testroot.Must(t, w.root.Store().Add(enrollment.ByRoot(),
		record.User{Name: "bob", UID: uid + 1}, enrollment.NewPhone("mobile", "+15559875555",
			testroot.Noon), 0))
	w.login(request(), "sms", noMore)
	bob := request()
	bob.User, bob.Name, bob.UID = "bob", "bob", uid+1
	w.login(bob, "sms", noMore)
	w.now = w.now.Add(20 * time.Minute)
	o := w.login(request(), "sms", noMore)
	if len(w.twilio.asked) != 2 {
		t.Errorf("sends: %q", w.twilio.asked)
	}
	w.detail(o, "too many codes were sent from this host")
	if !strings.HasPrefix(w.shown[1], "Ask again in 40 minutes. ") {
		t.Errorf("%q", w.shown[1])
	}
}

func TestSendThatCannotBeReservedIsNotMade(t *testing.T) {
	for name, spoil := range map[string]func(w *world) string{
		"the host's file is missing": func(
			w *world) string {
			return w.root.Join("var/lib/latchkey/host")
		},
		"the host's file is damaged": func(w *world) string {
			testroot.Write(w.t, w.root.Join("var/lib/latchkey/host"), []byte("LATCHKEY"))
			return ""
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPhoneWorld(t, "")
			if gone := spoil(w); gone != "" {
				removeFile(t, gone)
			}
			o := w.login(request(), "sms", w.code())
			w.expect(o, true, verdict.OK, success,
				"No SMS to ...1234. From your app. Verification code: ")
			w.network()
		})
	}
}

func removeFile(t *testing.T, path string) {
	t.Helper()
	testroot.Must(t, os.Remove(path))
}

func TestLandlineIsCalledAtOnceAfterItWasOffered(t *testing.T) {
	w := newPhoneWorld(t, "", onlyPhone())
	w.twilio.send = answer(protocol.Landline)
	w.onAsk = func() {
		if len(w.shown) == 2 {
			w.twilio.send = answer(protocol.Sent)
		}
	}
	o := w.login(request(), "sms", "call", sentCode)
	w.expect(o, true, verdict.OK, success, byCall)
	w.network("sms "+number+" en", "call "+number+" en", "check "+number+" "+sid+" "+sentCode)
}

func TestAfterTooManyChecksTheUserIsToldSoAndNothingIsSentInVain(t *testing.T) {
	const noLonger = "The code we sent is now void. From your app. Verification code: "
	for name, exhaust := range map[string]func(w *world) (typed []string){
		"by our count": func(w *world) []string { return w.wrongs(5) },
		"by Twilio's": func(w *world) []string {
			w.twilio.check = func(string) protocol.Answer { return answer(protocol.TooManyChecks) }
			return []string{w.wrong()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPhoneWorld(t, "[limits]\ntries = 10\nfailures = \"20/10m\"")
			typed := append([]string{"sms"}, exhaust(w)...)
			w.expect(w.login(request(), append(typed, noMore)...), false, verdict.NoAnswer,
				convErr, noLonger)
			w.twilio.asked = nil
			w.now = w.now.Add(time.Minute)
			w.login(request(), sentCode, "sms", noMore)
			w.saw(bothFirst, noLonger,
				"Ask again in 9 minutes. From your app. Verification code: ")
			w.network()
			w.now = w.now.Add(9 * time.Minute)
			w.login(request(), "sms", noMore)
			w.network("sms " + number + " en")
		})
	}
}

func TestLockThatIsNotReleasedIsWaitedForOnce(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.held = true
	host, err := w.root.Keyring().Host.Open("host")
	testroot.Must(t, err)
	defer host.Close()
	o := w.login(request(), "sms", "call", w.code())
	w.expect(o, true, verdict.OK, success,
		"No more are sent in this login. From your app. Verification code: ")
	w.network()
}
