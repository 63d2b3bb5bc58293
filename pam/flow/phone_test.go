package flow_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/flow"
	"latchkey/pam/internal/testroot"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/twilio/protocol"
)

const (
	sid      = "VE0123456789abcdef0123456789abcdef"
	number   = "+15551231234"
	sentCode = "271828"

	bothFirst = `Code from your app, or "sms"/"call" to get one: `
	bySMS     = `Code sent by SMS to ···1234. Code, or "sms"/"call" again: `
	byCall    = `Calling ···1234. Code, or "sms"/"call" again: `
	bothWrong = `That code was not accepted. Code, or "sms"/"call": `
)

// twilio is Twilio Verify as the flow sees it.
type twilio struct {
	world *world
	send  protocol.Answer
	check func(code string) protocol.Answer
	asked []string
	ready error
}

func (v *twilio) Ready() error { return v.ready }

func (v *twilio) Send(number string, channel protocol.Channel, locale string) protocol.Answer {
	v.asked = append(v.asked, string(channel)+" "+number+" "+locale)
	v.world.unlocked()
	return v.send
}

func (v *twilio) Check(number, sid, code string) protocol.Answer {
	v.asked = append(v.asked, "check "+number+" "+sid+" "+code)
	v.world.unlocked()
	return v.check(code)
}

// unlocked demands that nobody holds alice's state or the host's: the network or the user is being asked.
func (w *world) unlocked() {
	w.t.Helper()
	k := w.root.Keyring()
	k.States.Patience, k.Host.Patience = safefile.Patience{}, safefile.Patience{}
	for _, open := range []func() (*state.File, error){
		func() (*state.File, error) { return k.States.Open("alice") },
		func() (*state.File, error) { return k.Host.Open("host") },
	} {
		f, err := open()
		if errors.Is(err, safefile.ErrBusy) && !w.held {
			w.t.Errorf("a lock is held while the network or the user is asked: %v", err)
		}
		if err == nil {
			f.Close()
		}
	}
}

func answer(r protocol.Result) protocol.Answer {
	return protocol.Answer{Version: protocol.Version, Result: r, SID: sid}
}

// rightCode approves the code that was sent, once.
func rightCode() func(string) protocol.Answer {
	used := false
	return func(code string) protocol.Answer {
		switch {
		case used:
			return answer(protocol.Gone)
		case code == sentCode:
			used = true
			return answer(protocol.Approved)
		}
		return answer(protocol.Wrong)
	}
}

// newPhoneWorld is a world in which alice has these devices, and Twilio works.
func newPhoneWorld(t *testing.T, policy string, devices ...record.Device) *world {
	t.Helper()
	w := &world{t: t, root: testroot.New(t), phone: testroot.TOTP("app"), now: testroot.Noon}
	w.root.Policy(t, policy)
	if devices == nil {
		devices = []record.Device{w.phone, factor.NewPhone("mobile", number, testroot.Noon)}
	}
	for _, d := range devices {
		testroot.Must(t, w.root.Keyring().Add("alice", uid, d, 0))
	}
	w.twilio = &twilio{world: w, send: answer(protocol.Sent), check: rightCode()}
	return w
}

func onlyPhone() record.Device { return factor.NewPhone("mobile", number, testroot.Noon) }

// saw demands all prompts of a login.
func (w *world) saw(prompts ...string) {
	w.t.Helper()
	if !slices.Equal(w.shown, prompts) {
		w.t.Errorf("the user saw %q, not %q", w.shown, prompts)
	}
}

func (w *world) network(asked ...string) {
	w.t.Helper()
	if !slices.Equal(w.twilio.asked, asked) {
		w.t.Errorf("Twilio was asked %q, not %q", w.twilio.asked, asked)
	}
}

func TestNothingIsSentToWhoTypesAnAppCode(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.expect(w.login(request(), w.code()), true, flow.OK, success, bothFirst)
	w.network()
}

func TestACodeIsSentToWhoAsksAndLetsInOnce(t *testing.T) {
	for word, c := range map[string]struct{ prompt, asked, method string }{
		"sms":    {bySMS, "sms", "sms"},
		" SMS ":  {bySMS, "sms", "sms"},
		"call":   {byCall, "call", "call"},
		"call 1": {byCall, "call", "call"},
	} {
		t.Run(word, func(t *testing.T) {
			w := newPhoneWorld(t, "")
			o := w.login(request(), word, sentCode)
			w.expect(o, true, flow.OK, success, c.prompt)
			w.saw(bothFirst, c.prompt)
			w.network(c.asked+" "+number+" en", "check "+number+" "+sid+" "+sentCode)
			if o.Method != c.method || o.Device != "mobile" || o.Tries != 1 || w.failures() != 0 {
				t.Errorf("%+v, %d failures", o, w.failures())
			}
			w.twilio.asked = nil
			w.expect(w.login(request(), sentCode, noMore), false, flow.NoAnswer, convErr, bothWrong)
			w.network() // nothing is pending any more
		})
	}
}

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

func TestWithoutSettingsNothingIsCountedAsSent(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.twilio.ready = errors.New("twilio.toml:3: unknown key")
	o := w.login(request(), "sms", "sms", "sms", w.code())
	w.expect(o, true, flow.OK, success, `No SMS could be sent to ···1234. Code, or "sms"/"call": `)
	w.detail(o, "twilio.toml:3: unknown key")
	w.network()
	if len(w.state().Sends) != 0 {
		t.Error("it was counted as sent")
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

func TestWhoCannotBeSentACodeIsToldWhatElseWorks(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.twilio.send = protocol.Answer{Result: protocol.Credentials, TwilioCode: 20003, Detail: "api_key or api_secret is wrong"}
	o := w.login(request(), "sms", w.code())
	w.expect(o, true, flow.OK, success, `No SMS could be sent to ···1234. Code, or "sms"/"call": `)
	w.detail(o, `sms to "mobile": credentials: api_key or api_secret is wrong (Twilio error 20003)`)
}

func TestALandlineIsOfferedTheCall(t *testing.T) {
	w := newPhoneWorld(t, "", onlyPhone())
	w.twilio.send = answer(protocol.Landline)
	w.login(request(), "sms", noMore)
	w.saw(`Type "sms"/"call" to get a code: `, `···1234 takes no SMS; try a call. Type "sms"/"call" to get a code: `)
}

func TestAPhoneAloneGetsACodeOnlyIfAskedForUnlessThePolicySaysAuto(t *testing.T) {
	w := newPhoneWorld(t, "", onlyPhone())
	w.expect(w.login(request(), "sms", sentCode), true, flow.OK, success, bySMS)
	w.saw(`Type "sms"/"call" to get a code: `, bySMS)

	w = newPhoneWorld(t, "[phone]\nauto = true", onlyPhone())
	w.expect(w.login(request(), sentCode), true, flow.OK, success, bySMS)
	w.saw(bySMS)

	w = newPhoneWorld(t, "[phone]\nauto = true")
	w.login(request(), noMore)
	w.saw(bothFirst)
	w.network()
}

func TestSeveralPhonesAreToldApartByNumber(t *testing.T) {
	other := factor.NewPhone("office", "+442071838750", testroot.Noon)
	w := newPhoneWorld(t, "", onlyPhone(), other)
	o := w.login(request(), "call 2", sentCode)
	w.saw(`Type "sms"/"call" with 1 for ···1234, 2 for ···8750 to get a code: `,
		`Calling ···8750. Code, or "sms"/"call" with 1 for ···1234, 2 for ···8750 again: `)
	w.expect(o, true, flow.OK, success, w.shown[1])
	if o.Device != "office" || w.twilio.asked[0] != "call +442071838750 en" {
		t.Errorf("%+v, %q", o, w.twilio.asked)
	}
}

func TestOnlyTheChannelsThatThePolicyAllowsAreOffered(t *testing.T) {
	w := newPhoneWorld(t, "[phone]\nmethods = [\"call\"]")
	w.login(request(), "sms", "call", noMore)
	w.saw(`Code from your app, or "call" to get one: `, `That code was not accepted. Code, or "call": `,
		`Calling ···1234. Code, or "call" again: `)
	w = newPhoneWorld(t, "[phone]\nmethods = []")
	w.login(request(), "sms", noMore)
	w.saw(firstText, wrongText)
	w.network()
	w = newPhoneWorld(t, "[[rule]]\nrequire = \"code\"\nmethods = [\"totp\"]", onlyPhone())
	w.expect(w.login(request()), false, flow.Forbidden, permDenied, "None of your second factors may be used here. Ask your administrator.")
	w.network()
}

func TestACodeThatWasSentDoesNotLetInWhereTheRuleForbidsPhones(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.login(request(), "sms", noMore)
	w.root.Policy(t, "[[rule]]\nrequire = \"code\"\nmethods = [\"totp\"]")
	w.twilio.asked = nil
	w.expect(w.login(request(), sentCode, noMore), false, flow.NoAnswer, convErr, wrongText)
	w.network()
}

func TestANumberOutsideTheAllowedPrefixesIsRefusedWithoutTheNetwork(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.root.Policy(t, "[phone]\nprefixes = [\"+44\"]")
	o := w.login(request(), "sms", noMore)
	w.network()
	w.detail(o, "none of the prefixes")
	if len(w.state().Sends) != 0 {
		t.Error("it was counted as sent")
	}
}

func TestTheWaitBetweenTwoSendsDoubles(t *testing.T) {
	w := newPhoneWorld(t, "")
	for _, seconds := range []int{0, 30, 60, 120, 240} {
		if seconds > 0 {
			w.now = w.now.Add(time.Duration(seconds)*time.Second - time.Second)
			w.login(request(), "sms", noMore)
			if last := w.shown[1]; last != `The next code can be sent in a second. Code, or "sms"/"call": ` {
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
	if !strings.HasPrefix(w.shown[1], "The next code can be sent in 43 minutes. ") {
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
	w.expect(o, true, flow.OK, success, `The next code can be sent in 30 seconds. Code, or "sms"/"call": `)
	w.network("sms " + number + " en")
	w.now = w.now.Add(time.Hour)
	o = w.login(request(), slices.Repeat([]string{"call"}, 12)...)
	if o.Allow || w.failures() != 0 {
		t.Errorf("%+v, %d failures", o, w.failures())
	}
}

func TestTheHostSendsNoMoreThanItsLimitWhoeverAsks(t *testing.T) {
	w := newPhoneWorld(t, "[phone]\nsends_per_host = \"2/1h\"")
	testroot.Must(t, w.root.Keyring().Add("bob", uid+1, factor.NewPhone("mobile", "+15559875555", testroot.Noon), 0))
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
	if !strings.HasPrefix(w.shown[1], "The next code can be sent in 40 minutes. ") {
		t.Errorf("%q", w.shown[1])
	}
}

func TestASendThatCannotBeBookedIsNotSent(t *testing.T) {
	for name, spoil := range map[string]func(w *world) string{
		"the host's file is missing": func(w *world) string { return w.root.Join("var/lib/latchkey/host") },
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
			w.expect(o, true, flow.OK, success, `No SMS could be sent to ···1234. Code, or "sms"/"call": `)
			w.network()
		})
	}
}

func removeFile(t *testing.T, path string) {
	t.Helper()
	testroot.Must(t, os.Remove(path))
}

func TestALandlineIsCalledAtOnceAfterItWasOffered(t *testing.T) {
	w := newPhoneWorld(t, "", onlyPhone())
	w.twilio.send = answer(protocol.Landline)
	w.onAsk = func() {
		if len(w.shown) == 2 {
			w.twilio.send = answer(protocol.Sent)
		}
	}
	o := w.login(request(), "sms", "call", sentCode)
	w.expect(o, true, flow.OK, success, byCall)
	w.network("sms "+number+" en", "call "+number+" en", "check "+number+" "+sid+" "+sentCode)
}

func TestACodeSentByAChannelThatTheRuleForbidsIsNotAccepted(t *testing.T) {
	w := newPhoneWorld(t, "[[rule]]\nservices = [\"sudo\"]\nrequire = \"code\"\nmethods = [\"totp\", \"call\"]")
	w.login(request(), "sms", noMore)
	w.twilio.asked = nil
	sudo := request()
	sudo.Service = "sudo"
	if o := w.login(sudo, sentCode, noMore); o.Allow {
		t.Errorf("a code by SMS lets in where only calls are allowed: %+v", o)
	}
	w.network()
}

func TestOnlyAUserWithNothingButOnePhoneIsSentACodeUnasked(t *testing.T) {
	for name, c := range map[string]struct {
		rule    string
		devices []record.Device
	}{
		"two phones":                      {"", []record.Device{onlyPhone(), factor.NewPhone("office", "+442071838750", testroot.Noon)}},
		"an app that is not allowed here": {"[[rule]]\nrequire = \"code\"\nmethods = [\"sms\"]", nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPhoneWorld(t, "[phone]\nauto = true\n"+c.rule, c.devices...)
			w.login(request(), noMore)
			w.network()
		})
	}
}

func TestAfterTooManyChecksTheUserIsToldSoAndNothingIsSentInVain(t *testing.T) {
	const noLonger = `That code was not accepted, and the one that was sent works no longer. Code, or "sms"/"call": `
	for name, exhaust := range map[string]func(w *world) (typed []string){
		"by our count": func(w *world) []string { return slices.Repeat([]string{w.wrong()}, 5) },
		"by Twilio's": func(w *world) []string {
			w.twilio.check = func(string) protocol.Answer { return answer(protocol.TooManyChecks) }
			return []string{w.wrong()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPhoneWorld(t, "[limits]\ntries = 10\nfailures = \"20/10m\"")
			typed := append([]string{"sms"}, exhaust(w)...)
			w.expect(w.login(request(), append(typed, noMore)...), false, flow.NoAnswer, convErr, noLonger)
			w.twilio.asked = nil
			w.now = w.now.Add(time.Minute)
			w.login(request(), sentCode, "sms", noMore)
			w.saw(bothFirst, noLonger, `The next code can be sent in 9 minutes. Code, or "sms"/"call": `)
			w.network()
			w.now = w.now.Add(9 * time.Minute)
			w.login(request(), "sms", noMore)
			w.network("sms " + number + " en")
		})
	}
}

func TestWhoComesBackWhileACodeWaitsIsAskedForIt(t *testing.T) {
	for _, policy := range []string{"", "[phone]\nauto = true"} {
		w := newPhoneWorld(t, policy, onlyPhone())
		if policy == "" {
			w.login(request(), "sms", noMore)
		} else {
			w.login(request(), noMore)
		}
		w.twilio.asked = nil
		w.now = w.now.Add(5 * time.Second)
		w.expect(w.login(request(), sentCode), true, flow.OK, success, `A code was sent to ···1234. Code, or "sms"/"call" again: `)
		w.network("check " + number + " " + sid + " " + sentCode)
	}
}

func TestACodeThatIsTypedTooLateHasExpired(t *testing.T) {
	w := newPhoneWorld(t, "[limits]\ntries = 1")
	w.onAsk = func() { w.now = w.now.Add(10 * time.Minute) }
	w.expect(w.login(request(), "sms", sentCode), false, flow.Expired, maxTries, bySMS)
	w.network("sms " + number + " en")
}

func TestALockThatIsNotToBeHadIsWaitedForOnce(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.held = true
	host, err := w.root.Keyring().Host.Open("host")
	testroot.Must(t, err)
	defer host.Close()
	o := w.login(request(), "sms", "call", w.code())
	w.expect(o, true, flow.OK, success, `No more codes are sent in this login. Code, or "sms"/"call": `)
	w.network()
}

func TestTheWordsMayBeTypedAsThePromptShowsThem(t *testing.T) {
	for _, typed := range []string{`"sms"`, `'sms'`, `"sms" 1`, ` "SMS"1 `} {
		w := newPhoneWorld(t, "")
		w.expect(w.login(request(), typed, sentCode), true, flow.OK, success, bySMS)
	}
}

func TestTheLogSaysEverythingOnceAndTheOutcomeFirst(t *testing.T) {
	w := newPhoneWorld(t, "[limits]\nfailures = \"1/10m\"")
	o := w.login(request(), "sms", "sms", "sms", "sms", w.wrong())
	const want = `locked until 2027-01-31T12:15:15Z; sms to "mobile": not yet: too many codes were sent to this user`
	if o.Detail != want {
		t.Errorf("the log says %q", o.Detail)
	}
}
