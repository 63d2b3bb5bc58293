package flow_test

import (
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/protocol"
)

func TestUserWhoTypesAnAppCodeIsSentNothing(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.expect(w.login(request(), w.code()), true, verdict.OK, success, bothFirst)
	w.network()
}

func TestCodeIsSentOnRequestAndLetsInOnce(t *testing.T) {
	for word, c := range map[string]struct{ prompt, asked, method string }{
		"sms":    {bySMS, "sms", "sms"},
		" SMS ":  {bySMS, "sms", "sms"},
		"call":   {byCall, "call", "call"},
		"call 1": {byCall, "call", "call"},
	} {
		t.Run(word, func(t *testing.T) {
			w := newPhoneWorld(t, "")
			o := w.login(request(), word, sentCode)
			w.expect(o, true, verdict.OK, success, c.prompt)
			w.saw(bothFirst, c.prompt)
			w.network(c.asked+" "+number+" en", "check "+number+" "+sid+" "+sentCode)
			if o.Method != c.method || o.Device != "mobile" || o.Tries != 1 || w.failures() != 0 {
				t.Errorf("%+v, %d failures", o, w.failures())
			}
			w.twilio.asked = nil
			w.expect(w.login(request(), sentCode, noMore), false, verdict.NoAnswer, convErr,
				bothWrong)
			w.network() // nothing is pending any more
		})
	}
}

func TestUserWhoCannotBeSentACodeIsToldWhatElseWorks(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.twilio.send = protocol.Answer{Result: protocol.Credentials, TwilioCode: 20003,
		Detail: "api_key or api_secret is wrong"}
	o := w.login(request(), "sms", w.code())
	w.expect(o, true, verdict.OK, success, "No SMS to ...1234. From your app. Verification code: ")
	w.detail(o, `sms to "mobile": credentials: api_key or api_secret is wrong (Twilio `+
		`error 20003)`)
}

func TestLandlineIsOfferedTheCall(t *testing.T) {
	w := newPhoneWorld(t, "", onlyPhone())
	w.twilio.send = answer(protocol.Landline)
	w.login(request(), "sms", noMore)
	w.saw(phoneFirst, "...1234 takes no SMS: type call. Verification code: ")
}

func TestPhoneAloneGetsACodeOnlyIfAskedForUnlessThePolicySaysAuto(t *testing.T) {
	w := newPhoneWorld(t, "", onlyPhone())
	w.expect(w.login(request(), "sms", sentCode), true, verdict.OK, success, bySMS)
	w.saw(phoneFirst, bySMS)

	w = newPhoneWorld(t, "[phone]\nauto = true", onlyPhone())
	w.expect(w.login(request(), sentCode), true, verdict.OK, success, bySMS)
	w.saw(bySMS)

	w = newPhoneWorld(t, "[phone]\nauto = true")
	w.login(request(), noMore)
	w.saw(bothFirst)
	w.network()
}

func TestSeveralPhonesAreToldApartByNumber(t *testing.T) {
	other := enrollment.NewPhone("office", "+442071838750", testroot.Noon)
	w := newPhoneWorld(t, "", onlyPhone(), other)
	o := w.login(request(), "call 2", sentCode)
	w.saw("Phones: 1 is ...1234, 2 is ...8750.\n"+
		"Type sms 1 or call to get a code. Verification code: ",
		"Calling ...8750. Verification code: ")
	w.expect(o, true, verdict.OK, success, w.shown[1])
	if o.Device != "office" || w.twilio.asked[0] != "call +442071838750 en" {
		t.Errorf("%+v, %q", o, w.twilio.asked)
	}
}

func TestOnlyTheChannelsThatThePolicyAllowsAreOffered(t *testing.T) {
	w := newPhoneWorld(t, "[phone]\nmethods = [\"call\"]")
	w.login(request(), "sms", "call", noMore)
	w.saw("From your app, or type call. Verification code: ",
		"No SMS here. From your app, or call. Verification code: ",
		"Calling ...1234. Verification code: ")
	w = newPhoneWorld(t, "[phone]\nmethods = []")
	w.login(request(), "sms", noMore)
	w.saw(firstText, "No SMS here. From your app. Verification code: ")
	w.network()
	w = newPhoneWorld(t, "[[rule]]\nrequire = \"code\"\nmethods = [\"totp\"]", onlyPhone())
	w.expect(w.login(request()), false, verdict.Forbidden, maxTries,
		"None of your second factors may be used here. Ask your administrator.")
	w.network()
}

func TestCodeThatWasSentDoesNotLetInWhereTheRuleForbidsPhones(t *testing.T) {
	w := newPhoneWorld(t, "")
	w.login(request(), "sms", noMore)
	w.root.Policy(t, "[[rule]]\nrequire = \"code\"\nmethods = [\"totp\"]")
	w.twilio.asked = nil
	w.expect(w.login(request(), sentCode, noMore), false, verdict.NoAnswer, convErr, wrongText)
	w.network()
}

func TestCodeSentByAChannelThatTheRuleForbidsIsNotAccepted(t *testing.T) {
	w := newPhoneWorld(t,
		"[[rule]]\nservices = [\"sudo\"]\nrequire = \"code\"\nmethods = [\"totp\", \"call\"]")
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
		"two phones": {"",
			[]record.Device{onlyPhone(),
				enrollment.NewPhone("office", "+442071838750", testroot.Noon)}},
		"an app that is not allowed here": {"[[rule]]\nrequire = \"code\"\nmethods = [\"sms\"]",
			nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newPhoneWorld(t, "[phone]\nauto = true\n"+c.rule, c.devices...)
			w.login(request(), noMore)
			w.network()
		})
	}
}

func TestUserWhoReturnsWhileACodeWaitsIsAskedForIt(t *testing.T) {
	for _, policy := range []string{"", "[phone]\nauto = true"} {
		w := newPhoneWorld(t, policy, onlyPhone())
		if policy == "" {
			w.login(request(), "sms", noMore)
		} else {
			w.login(request(), noMore)
		}
		w.twilio.asked = nil
		w.now = w.now.Add(5 * time.Second)
		w.expect(w.login(request(), sentCode), true, verdict.OK, success,
			"A code was sent to ...1234. Verification code: ")
		w.network("check " + number + " " + sid + " " + sentCode)
	}
}

func TestWordsMayBeTypedAsThePromptShowsThem(t *testing.T) {
	for _, typed := range []string{`"sms"`, `'sms'`, `"sms" 1`, ` "SMS"1 `} {
		w := newPhoneWorld(t, "")
		w.expect(w.login(request(), typed, sentCode), true, verdict.OK, success, bySMS)
	}
}

func TestLogSaysEverythingOnceAndTheOutcomeFirst(t *testing.T) {
	w := newPhoneWorld(t, "[limits]\nfailures = \"1/10m\"")
	o := w.login(request(), "sms", "sms", "sms", "sms", w.wrong())
	const want = `locked until 2027-01-31T12:15:15Z; sms to "mobile": not yet: a code was sent ` +
		`to this phone just now`
	if o.Detail != want {
		t.Errorf("the log says %q", o.Detail)
	}
}
