package prompt

import (
	"net/netip"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/method"
	"latchkey/pam/state"
)

func TestWaitsAreRoundedUpAndSaidAsPeopleSayThem(t *testing.T) {
	for wait, want := range map[time.Duration]string{
		0: "a second", time.Millisecond: "a second", time.Second: "a second",
		time.Second + 1: "2 seconds", 59 * time.Second: "59 seconds",
		59*time.Second + 1: "a minute",
		time.Minute:        "a minute", time.Minute + 1: "2 minutes", 2 * time.Minute: "2 minutes",
		2*time.Minute + 1: "3 minutes", time.Hour: "60 minutes",
	} {
		if got := WaitFor(wait); got != "Ask again in "+want+"." {
			t.Errorf("%v: got %q, want %q", wait, got, want)
		}
	}
	now := time.Unix(1800000000, 0)
	for lasts, want := range map[time.Duration]string{
		-time.Hour: "a minute", 30 * time.Second: "a minute", 15 * time.Minute: "15 minutes",
	} {
		if got := LockedUntil(now.Add(lasts),
			now); got != "Too many wrong codes. Try again in "+want+"." {
			t.Errorf("%v: got %q, want %q", lasts, got, want)
		}
	}
}

func TestNumbersAgreeWithTheirNouns(t *testing.T) {
	for got, want := range map[string]string{
		CodeUsed(0): "That recovery code is used up; 0 recovery codes are left. For new ones " +
			"run: enroll codes",
		CodeUsed(1): "That recovery code is used up; 1 recovery code is left. For new ones " +
			"run: enroll codes",
		FewLeft(1): "Only 1 recovery code is left. For new ones run: enroll codes",
		FewLeft(2): "Only 2 recovery codes are left. For new ones run: enroll codes",
		Trust(1):   "Trust this computer for 1 day? [y/N] ",
		Trust(30):  "Trust this computer for 30 days? [y/N] ",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWrongCodesBeforeThisLoginAreToldWithTheirLastAddress(t *testing.T) {
	first := time.Date(2027, time.January, 31, 12, 0, 0, 0, time.UTC)
	from := netip.MustParseAddr("192.0.2.7")
	for want, r := range map[string]state.Refused{
		"1 wrong code was refused since Sun 31 Jan 12:00 from 192.0.2.7.": {Count: 1, From: from},
		"1 wrong code was refused since Sun 31 Jan 12:00.":                {Count: 1},
		"2 wrong codes were refused since Sun 31 Jan 12:00, the last from 192.0.2.7.": {
			Count: 2, From: from},
		"2 wrong codes were refused since Sun 31 Jan 12:00.": {Count: 2},
	} {
		r.First = first
		if got := RefusedBefore(r); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestOnlyYIsAYes(t *testing.T) {
	for answer, want := range map[string]bool{
		"y": true, "Y": true, " yes ": true, "": false, "n": false, "yy": false, "123456": false,
	} {
		if got := Yes(answer); got != want {
			t.Errorf("%q: got %v, want %v", answer, got, want)
		}
	}
}

func TestEveryCombinationOfDevicesHasItsWords(t *testing.T) {
	phone := authority.Device{Type: method.Phone, Hint: "...1234"}
	sms, both := []method.Method{method.SMS}, []method.Method{method.SMS, method.Call}
	one, two := []authority.Device{phone}, []authority.Device{phone, phone}
	for want, c := range map[string]struct {
		choices has
		said    string
		when    Moment
	}{
		"From your app. ":                     {choices: has{App: true}},
		"Not accepted. From your app. ":       {choices: has{App: true}, said: NotAccepted},
		"From your app, or a recovery code. ": {choices: has{App: true, Recovery: true}},
		"From your app, or type sms or call. ": {choices: has{App: true, Phones: one,
			Channels: both}},
		"Not accepted. From your app, or sms. ": {
			choices: has{App: true, Phones: one, Channels: sms}, said: NotAccepted},
		"From your app, sms, call or a recovery code. ": {
			choices: has{App: true, Phones: one, Channels: both, Recovery: true}},
		"Type sms to get a code. ": {choices: has{Phones: one, Channels: sms}},
		"Not accepted. Type the code, sms or call. ": {
			choices: has{Phones: one, Channels: both}, said: NotAccepted},
		"Type sms, call or a recovery code. ": {
			choices: has{Phones: one, Channels: both, Recovery: true}},
		"From your recovery codes. ": {choices: has{Recovery: true}},
		"From your administrator. ":  {choices: has{Bypass: true}},
		"Phones: 1 is ...1234, 2 is ...1234.\nType sms 1 to get a code. ": {
			choices: has{Phones: two, Channels: sms}},
		"A code was sent. ": {choices: has{Phones: two, Channels: sms},
			said: "A code was sent.", when: SentNow},
	} {
		if got := (Choices{Choices: c.choices}).Prompt(c.said, c.when); got != want+AsksForCode {
			t.Errorf("%+v: got %q, want %q", c.choices, got, want+AsksForCode)
		}
	}
}

func TestAnswersThatAskForACodeNameAChannelAndAPhone(t *testing.T) {
	c := Choices{Choices: has{
		Phones: []authority.Device{
			{Type: method.Phone, Label: "one"}, {Type: method.Phone, Label: "two"}},
		Channels: []method.Method{method.SMS, method.Call},
	}}
	for answer, want := range map[string]Choice{
		"sms": {method.SMS, c.Phones[0]}, "SMS 1": {method.SMS, c.Phones[0]},
		"call2": {method.Call, c.Phones[1]}, ` "call" 2 `: {method.Call, c.Phones[1]},
		"sms 0": {}, "sms 3": {}, "sms x": {}, "sms -1": {}, "text": {}, "123456": {}, "": {},
	} {
		got, ok := c.Parse(answer)
		if ok != (want.Channel != "") || got.Channel != want.Channel ||
			got.Phone.Label != want.Phone.Label {
			t.Errorf("%q: got %s %q, %v; want %s %q", answer, got.Channel, got.Phone.Label, ok,
				want.Channel, want.Phone.Label)
		}
	}
}

func TestListOfPhonesIsBrokenIntoLinesAtItsWidth(t *testing.T) {
	c := Choices{Choices: has{Channels: []method.Method{method.SMS}}}
	for range 6 {
		c.Phones = append(c.Phones, authority.Device{Type: method.Phone,
			Hint: "...1234"})
	}
	const want = "Phones: 1 is ...1234, 2 is ...1234, 3 is ...1234, 4 is ...1234,\n" +
		"5 is ...1234, 6 is ...1234"
	if got := c.listed(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
