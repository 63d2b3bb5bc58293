package main_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/standin"
)

func TestCodeSentBySMSOrByCallIsApprovedOnce(t *testing.T) {
	for _, channel := range []method.Method{method.SMS, method.Call} {
		s := startStandin(t, standin.Options{})
		r := sendTo(s.Settings(), channel)
		r.Locale = "pt-BR"
		sent := want(t, ask(t, r), protocol.Sent)
		want(t, ask(t, checkOf(s.Settings(), sent.SID, s.WrongCode(number))), protocol.Wrong)
		right := checkOf(s.Settings(), sent.SID, s.Code(number))
		if a := want(t, ask(t, right), protocol.Approved); a.SID != sent.SID {
			t.Errorf("approved %s, not %s", a.SID, sent.SID)
		}
		want(t, ask(t, right), protocol.Gone)
		seen := s.Seen()
		if form := seen[0].Form; len(form) != 3 || form.Get("To") != number ||
			form.Get("Channel") != string(channel) || form.Get("Locale") != "pt-BR" {
			t.Errorf("sent with %v", form)
		}
		if form := seen[1].Form; len(form) != 2 || form.Get("VerificationSid") != sent.SID ||
			form.Get("Code") == "" {
			t.Errorf("checked with %v", form)
		}
		if len(seen) != 4 || s.Connections() != 4 {
			t.Errorf("%d requests on %d connections", len(seen), s.Connections())
		}
	}
}

func TestCodeWhoseVerificationIsNotKnownIsCheckedByTheNumber(t *testing.T) {
	s, r := pending(t)
	sid := r.SID
	r.SID = ""
	if a := want(t, ask(t, r), protocol.Approved); a.SID != sid {
		t.Errorf("approved %s, not %s", a.SID, sid)
	}
	if form := s.Seen()[1].Form; form.Get("To") != number || form.Has("VerificationSid") {
		t.Errorf("checked with %v", form)
	}
}

func TestAccountsTokenWorksInPlaceOfAnAPIKey(t *testing.T) {
	s := startStandin(t, standin.Options{})
	want(t, ask(t, sendTo(s.TokenSettings(), method.SMS)), protocol.Sent)
	if user := s.Seen()[0].User; user != s.Settings().AccountSID {
		t.Errorf("authorized as %s", user)
	}
}

func TestSecretMayBeAnythingThatCanBeTyped(t *testing.T) {
	s := startStandin(t, standin.Options{APISecret: "p@ss:w/rd+%\\\"<&>~"})
	want(t, ask(t, sendTo(s.Settings(), method.SMS)), protocol.Sent)
	wrong := s.Settings()
	wrong.APISecret += "!"
	want(t, ask(t, sendTo(wrong, method.SMS)), protocol.Credentials)
}

func TestSendsAndChecksBeyondVerifysLimitsAreNamed(t *testing.T) {
	s, r := pending(t)
	for range standin.MaxSends - 1 {
		if a := want(t, ask(t, sendTo(s.Settings(), method.Call)), protocol.Sent); a.SID != r.SID {
			t.Errorf("joined %s, not %s", a.SID, r.SID)
		}
	}
	want(t, ask(t, sendTo(s.Settings(), method.SMS)), protocol.TooManySends)
	wrong := checkOf(s.Settings(), r.SID, s.WrongCode(number))
	for range standin.MaxChecks {
		want(t, ask(t, wrong), protocol.Wrong)
	}
	want(t, ask(t, r), protocol.TooManyChecks)
	if s.Sends() != standin.MaxSends+1 || s.Checks() != standin.MaxChecks+1 {
		t.Errorf("%d sends, %d checks: something was repeated", s.Sends(), s.Checks())
	}
}

func TestCodeThatExpiredIsGone(t *testing.T) {
	var late atomic.Bool
	s := startStandin(t, standin.Options{Clock: func() time.Time {
		if late.Load() {
			return time.Now().Add(standin.Lifetime)
		}
		return time.Now()
	}})
	sent := ask(t, sendTo(s.Settings(), method.SMS))
	r := checkOf(s.Settings(), sent.SID, s.Code(number))
	late.Store(true)
	a := want(t, ask(t, r), protocol.Gone)
	if a.HTTPStatus != 404 || a.TwilioCode != 20404 {
		t.Errorf("%+v", a)
	}
}

func TestLandlineTakesTheCallOnly(t *testing.T) {
	s := startStandin(t, standin.Options{})
	s.Landline(number)
	want(t, ask(t, sendTo(s.Settings(), method.SMS)), protocol.Landline)
	want(t, ask(t, sendTo(s.Settings(), method.Call)), protocol.Sent)
}

func TestProbeSendsNothingAndSaysWhatIsWrong(t *testing.T) {
	s := startStandin(t, standin.Options{})
	want(t, ask(t, probeOf(s.Settings())), protocol.ProbeOK)
	want(t, ask(t, probeOf(s.TokenSettings())), protocol.ProbeOK)

	bad := s.Settings()
	bad.APISecret = "wrong"
	want(t, ask(t, probeOf(bad)), protocol.Credentials)
	bad = s.Settings()
	bad.ServiceSID = "VA" + strings.Repeat("0", 32)
	want(t, ask(t, probeOf(bad)), protocol.UnknownService)

	for _, seen := range s.Seen() {
		if seen.Method != "GET" {
			t.Errorf("a probe asked %s %s", seen.Method, seen.Path)
		}
	}
}

func TestCodesOfEveryLengthAServiceCanHaveAreSentCheckedAndProbed(t *testing.T) {
	for length := 4; length <= 10; length++ {
		s := startStandin(t, standin.Options{CodeLength: length})
		if a := want(t, ask(t, probeOf(s.Settings())), protocol.ProbeOK); a.CodeLength != length {
			t.Errorf("probe of a service with codes of %d digits: got %d", length, a.CodeLength)
		}
		sent := want(t, ask(t, sendTo(s.Settings(), method.SMS)), protocol.Sent)
		code := s.Code(number)
		if len(code) != length || len(s.WrongCode(number)) != length {
			t.Errorf("got the code %q, want %d digits", code, length)
		}
		want(t, ask(t, checkOf(s.Settings(), sent.SID, s.WrongCode(number))), protocol.Wrong)
		want(t, ask(t, checkOf(s.Settings(), sent.SID, code)), protocol.Approved)
	}
}

func TestProbeOfAServiceThatDoesNotTellItsLengthIsOK(t *testing.T) {
	s := startStandin(t, standin.Options{})
	service, account := s.Settings().ServiceSID, s.Settings().AccountSID
	s.Fail(serviceOf(`{"sid":"` + service + `","account_sid":"` + account + `"}`))
	if a := want(t, ask(t, probeOf(s.Settings())), protocol.ProbeOK); a.CodeLength != 0 {
		t.Errorf("got a length of %d, want none", a.CodeLength)
	}
}

func TestProbeBelievesTheFirstThingThatIsWrong(t *testing.T) {
	s := startStandin(t, standin.Options{})
	s.FailOnce(standin.Error(401, 20003))
	want(t, ask(t, probeOf(s.Settings())), protocol.Credentials)
	s.FailOnce(standin.Approve(nil))
	if a := want(t, ask(t, probeOf(s.Settings())),
		protocol.Invalid); !strings.Contains(a.Detail, "never was") {
		t.Errorf("%+v", a)
	}
	if len(s.Seen()) != 2 {
		t.Errorf("%d requests", len(s.Seen()))
	}
}

func TestProbeWithAKeyThatMayNotReadTheServiceSaysSo(t *testing.T) {
	s := startStandin(t, standin.Options{})
	s.Fail(func(f standin.Faulty) {
		if strings.Contains(f.Request.URL.Path, "/Verifications/") {
			standin.Error(404, 20404)(f)
			return
		}
		standin.Error(403, 70051)(f)
	})
	if a := want(t, ask(t, probeOf(s.Settings())),
		protocol.ProbeOK); !strings.Contains(a.Detail, "not proven") {
		t.Errorf("%+v", a)
	}
	s.Fail(standin.Error(403, 70051))
	want(t, ask(t, probeOf(s.Settings())), protocol.Permission)
}

func TestProbeOfSomethingThatIsNotVerifyIsNotOK(t *testing.T) {
	s := startStandin(t, standin.Options{})
	own := func(more string) standin.Fault {
		return serviceOf(`{"sid":"` + s.Settings().ServiceSID + `","account_sid":"` +
			s.Settings().AccountSID + `",` + more + `}`)
	}
	for name, fault := range map[string]standin.Fault{
		"a page that is not found":   standin.Answer(404, "text/html", "<h1>Not found"),
		"not found without a number": standin.Answer(404, "application/json", "{}"),
		"a page":                     standin.HTML,
		"an unknown verification":    standin.Approve(nil),
		"an error of another status": standin.Answer(404, "application/json",
			`{"code":20404,"message":"","more_info":"","status":200}`),
		"a number that stands twice": standin.Answer(404, "application/json",
			`{"code":1,"code":20404,"status":404}`),
		"another account's service":    serviceOf(`{"sid":"VA%s","account_sid":"AC%s"}`),
		"a service without an account": serviceOf(`{"sid":"VA%s"}`),
		"codes of 3 digits":            own(`"code_length":3`),
		"codes of 11 digits":           own(`"code_length":11`),
		"codes of less than no digits": own(`"code_length":-6`),
		"codes of half a digit":        own(`"code_length":6.5`),
		"a length in words":            own(`"code_length":"6"`),
		"two lengths":                  own(`"code_length":6,"CODE_LENGTH":8`),
	} {
		t.Run(name, func(t *testing.T) {
			s.Fail(fault)
			want(t, ask(t, probeOf(s.Settings())), protocol.Invalid)
		})
	}
}

// serviceOf answers what Verify does to the first request of a probe, and a service to the second.
func serviceOf(body string) standin.Fault {
	return func(f standin.Faulty) {
		if strings.Contains(f.Request.URL.Path, "/Verifications/") {
			standin.Error(404, 20404)(f)
			return
		}
		standin.Body(strings.ReplaceAll(body, "%s", strings.Repeat("1", 32)))(f)
	}
}

func TestProbeTellsByHowMuchTheClocksDiffer(t *testing.T) {
	s := startStandin(t, standin.Options{Clock: func() time.Time {
		return time.Now().Add(
			time.Hour)
	}})
	// Half an hour of tolerance: what is asserted is that the hour was seen, and its sign.
	if a := want(t, ask(t, probeOf(s.Settings())), protocol.ProbeOK); a.Skew < 1800 ||
		a.Skew > 5400 {
		t.Errorf("skew of %d seconds", a.Skew)
	}
	if a := ask(t, sendTo(s.Settings(), method.SMS)); a.Skew != 0 {
		t.Errorf("a send has a skew of %d seconds", a.Skew)
	}
}
