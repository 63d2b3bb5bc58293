package protocol_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"latchkey/pam/method"
	"latchkey/pam/twilio/access"
	"latchkey/pam/twilio/protocol"
)

func hex32(c string) string { return strings.Repeat(c, 32) }

const certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

func settings() access.Settings {
	return access.Settings{
		ServiceSID: "VA" + hex32("a"), AccountSID: "AC" + hex32("b"), APIKey: "SK" + hex32("c"),
		APISecret: "secretSECRET123",
	}
}

func send() protocol.Request {
	return protocol.Request{
		Version: 1, Action: protocol.Send, To: "+15551230123", Channel: method.SMS, Locale: "en",
		Service: settings(), TimeoutMS: 5000,
	}
}

func check() protocol.Request {
	return protocol.Request{
		Version: 1, Action: protocol.Check, To: "+15551230123", SID: "VE" + hex32("d"),
		Code: "739501", Service: settings(), TimeoutMS: 5000,
	}
}

func probe() protocol.Request {
	return protocol.Request{Version: 1, Action: protocol.Probe, Service: settings(),
		TimeoutMS: 5000}
}

func answer() protocol.Answer {
	return protocol.Answer{
		Version: 1, Result: protocol.Sent, SID: "VE" + hex32("d"), TwilioCode: 60200,
		HTTPStatus: 201, Detail: "it's <fine>", Skew: -3,
	}
}

func TestMessagesAreDecodedAsEncoded(t *testing.T) {
	everything := send()
	everything.Service.BaseURL, everything.Service.Proxy = "https://verify.example:8443",
		"http://user:pass@proxy.example:3128"
	everything.Service.CA = certificate + "# another\n" + certificate
	byToken := check()
	byToken.SID = ""
	byToken.Service.APIKey, byToken.Service.APISecret, byToken.Service.AuthToken = "", "", "token"
	for _, r := range []protocol.Request{send(), check(), probe(), everything, byToken} {
		data, err := protocol.EncodeRequest(r)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := protocol.ReadRequest(strings.NewReader(string(data))); err != nil ||
			got != r {
			t.Errorf("%s: %v", data, err)
		}
	}
	data, err := protocol.EncodeAnswer(answer())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := protocol.DecodeAnswer(data); err != nil || got != answer() {
		t.Errorf("%s: %v", data, err)
	}
}

func TestBadRequestIsNeitherWrittenNorRead(t *testing.T) {
	for name, c := range map[string]struct {
		request protocol.Request
		change  func(*protocol.Request)
	}{
		"no version":      {send(), func(r *protocol.Request) { r.Version = 0 }},
		"another version": {send(), func(r *protocol.Request) { r.Version = 2 }},
		"no action":       {send(), func(r *protocol.Request) { r.Action = "" }},
		"an unknown action": {send(),
			func(r *protocol.Request) { r.Action = "cancel" }},
		"no timeout": {send(), func(r *protocol.Request) { r.TimeoutMS = 0 }},
		"a timeout in the past": {send(),
			func(r *protocol.Request) { r.TimeoutMS = -1 }},
		"a send without a number": {send(), func(r *protocol.Request) { r.To = "" }},
		"a number without a plus": {send(),
			func(r *protocol.Request) { r.To = "15551230123" }},
		"a number that begins with 0": {send(),
			func(r *protocol.Request) { r.To = "+05551230123" }},
		"a number of 16 digits": {send(),
			func(r *protocol.Request) { r.To = "+1234567890123456" }},
		"a number of 6 digits": {send(),
			func(r *protocol.Request) { r.To = "+123456" }},
		"a number with a space": {send(),
			func(r *protocol.Request) { r.To = "+1 5551230123" }},
		"a number with an extension": {send(),
			func(r *protocol.Request) { r.To = "+1555123x123" }},
		"a number with a line break": {send(),
			func(r *protocol.Request) { r.To = "+15551230123\n" }},
		"a number in other digits": {send(),
			func(r *protocol.Request) { r.To = "+1555123٠١٢٣" }},
		"an e-mail address": {send(),
			func(r *protocol.Request) { r.To = "a@b.example" }},
		"no channel": {send(), func(r *protocol.Request) { r.Channel = "" }},
		"another channel": {send(),
			func(r *protocol.Request) { r.Channel = "whatsapp" }},
		"a locale that is none": {send(),
			func(r *protocol.Request) { r.Locale = "en&To=1" }},
		"a locale that ends in a dash": {send(),
			func(r *protocol.Request) { r.Locale = "en-" }},
		"a send with a sid": {send(),
			func(r *protocol.Request) { r.SID = "VE" + hex32("d") }},
		"a send with a code": {send(),
			func(r *protocol.Request) { r.Code = "123456" }},
		"a check without a number": {check(), func(r *protocol.Request) { r.To = "" }},
		"a check without a code":   {check(), func(r *protocol.Request) { r.Code = "" }},
		"a code of 3 digits":       {check(), func(r *protocol.Request) { r.Code = "123" }},
		"a code of 11 digits": {check(),
			func(r *protocol.Request) { r.Code = "12345678901" }},
		"a code with letters": {check(),
			func(r *protocol.Request) { r.Code = "12345a" }},
		"a code in other digits": {check(), func(r *protocol.Request) { r.Code = "١٢٣" }},
		"a sid of another kind": {check(),
			func(r *protocol.Request) { r.SID = "VA" + hex32("d") }},
		"a short sid": {check(),
			func(r *protocol.Request) { r.SID = r.SID[:33] }},
		"a sid that leads elsewhere": {check(),
			func(r *protocol.Request) { r.SID = "VE" + strings.Repeat("/..", 10) + "ab" }},
		"a check with a channel": {check(),
			func(r *protocol.Request) { r.Channel = method.SMS }},
		"a check with a locale": {check(),
			func(r *protocol.Request) { r.Locale = "en" }},
		"a probe with a number": {probe(),
			func(r *protocol.Request) { r.To = "+15551230123" }},
		"a probe with a code": {probe(),
			func(r *protocol.Request) { r.Code = "123456" }},
		"no service": {send(),
			func(r *protocol.Request) { r.Service.ServiceSID = "" }},
		"a service that leads elsewhere": {send(),
			func(r *protocol.Request) {
				r.Service.ServiceSID = "VA" + strings.Repeat("/..", 10) +
					"ab"
			}},
		"no account": {send(),
			func(r *protocol.Request) { r.Service.AccountSID = "" }},
		"a key as an account": {send(),
			func(r *protocol.Request) { r.Service.AccountSID = r.Service.APIKey }},
		"no credentials": {send(),
			func(r *protocol.Request) { r.Service.APIKey, r.Service.APISecret = "", "" }},
		"a key without a secret": {send(),
			func(r *protocol.Request) { r.Service.APISecret = "" }},
		"a secret without a key": {send(),
			func(r *protocol.Request) { r.Service.APIKey = "" }},
		"a key and a token": {send(),
			func(r *protocol.Request) { r.Service.AuthToken = "tokenTOKEN123" }},
		"a secret with a space": {send(),
			func(r *protocol.Request) { r.Service.APISecret = "se cret" }},
		"a secret with a line feed": {send(),
			func(r *protocol.Request) { r.Service.APISecret = "secret\n" }},
		"a secret that is not ASCII": {send(),
			func(r *protocol.Request) { r.Service.APISecret = "sécret" }},
		"a secret that is too long": {send(),
			func(r *protocol.Request) { r.Service.APISecret = strings.Repeat("x", 129) }},
		"a token with a line break": {send(),
			func(r *protocol.Request) { r.Service = byToken("to\nken") }},
		"a base of http":                  {send(), base("http://verify.twilio.com")},
		"a base with a path":              {send(), base("https://verify.twilio.com/v2")},
		"a base with a slash":             {send(), base("https://verify.twilio.com/")},
		"a base with a query":             {send(), base("https://verify.twilio.com?x")},
		"a base with a fragment":          {send(), base("https://verify.twilio.com#x")},
		"a base with a user":              {send(), base("https://user@verify.twilio.com")},
		"a base without a host":           {send(), base("https://:443")},
		"a base with a port that is none": {send(), base("https://verify.twilio.com:0")},
		"a base with an empty port":       {send(), base("https://verify.twilio.com:")},
		"a base with a port too high":     {send(), base("https://verify.twilio.com:65536")},
		"a base in another case":          {send(), base("HTTPS://verify.twilio.com")},
		"a base that is a name":           {send(), base("verify.twilio.com")},
		"authorities that are none": {send(),
			func(r *protocol.Request) { r.Service.CA = "none" }},
		"a key among the authorities": {send(),
			func(r *protocol.Request) { r.Service.CA = certificate + privateKey }},
		"half an authority": {send(),
			func(r *protocol.Request) { r.Service.CA = certificate + certificate[:40] }},
		"too many authorities": {send(),
			func(r *protocol.Request) { r.Service.CA = strings.Repeat(certificate, 700) }},
		"a proxy of another kind": {send(),
			func(r *protocol.Request) { r.Service.Proxy = "socks5://proxy.example:1080" }},
		"a proxy with a path": {send(),
			func(r *protocol.Request) { r.Service.Proxy = "http://proxy.example/x" }},
		"a proxy that is a name": {send(),
			func(r *protocol.Request) { r.Service.Proxy = "proxy.example:3128" }},
	} {
		t.Run(name, func(t *testing.T) {
			c.change(&c.request)
			_, err := protocol.EncodeRequest(c.request)
			if err == nil {
				t.Fatal("it was written")
			}
			for _, hidden := range []string{c.request.Code, c.request.To,
				c.request.Service.APISecret, c.request.Service.AuthToken} {
				if hidden != "" && strings.Contains(err.Error(), hidden) {
					t.Errorf("the error shows a value: %v", err)
				}
			}
		})
	}
}

const privateKey = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"

func base(url string) func(*protocol.Request) {
	return func(r *protocol.Request) { r.Service.BaseURL = url }
}

func byToken(token string) access.Settings {
	s := settings()
	s.APIKey, s.APISecret, s.AuthToken = "", "", token
	return s
}

func TestMessageHasOneFormAndNoOther(t *testing.T) {
	data, err := protocol.EncodeRequest(send())
	if err != nil {
		t.Fatal(err)
	}
	good := string(data)
	for name, text := range map[string]string{
		"nothing":          "",
		"null":             "null",
		"{}":               "{}",
		"a list":           "[" + good + "]",
		"half":             good[:len(good)/2],
		"an unknown field": good[:len(good)-1] + `,"extra":1}`,
		"an unknown field inside": strings.Replace(good, `"service":{`, `"service":{"extra":1,`,
			1),
		"a field twice":           strings.Replace(good, `"to":`, `"to":"+15550000000","to":`, 1),
		"a field in another case": strings.Replace(good, `"to":`, `"TO":`, 1),
		"a field of another type": strings.Replace(good, `"timeout_ms":5000`,
			`"timeout_ms":"5000"`, 1),
		"an empty optional field": strings.Replace(good, `"to":`, `"code":"","to":`, 1),
		"another order": strings.Replace(good, `"version":1,"action":"send"`,
			`"action":"send","version":1`, 1),
		"space":                   good + "\n",
		"space before":            " " + good,
		"something behind":        good + "x",
		"two messages":            good + good,
		"another escape":          strings.Replace(good, `"sms"`, `"sm\u0073"`, 1),
		"a number in other words": strings.Replace(good, `5000`, `5e3`, 1),
		"more than 64 KiB":        good + strings.Repeat(" ", protocol.MaxMessage),
		"another version":         strings.Replace(good, `"version":1`, `"version":2`, 1),
		"version 1 and a half":    strings.Replace(good, `"version":1`, `"version":1.5`, 1),
		"invalid UTF-8":           strings.Replace(good, `"en"`, "\"en\xff\"", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if text == good {
				t.Fatal("nothing was changed")
			}
			r, err := protocol.ReadRequest(strings.NewReader(text))
			if err == nil || r != (protocol.Request{}) {
				t.Errorf("%v, %#v", err, r)
			}
			if _, err := protocol.DecodeAnswer([]byte(text)); err == nil {
				t.Error("it is an answer")
			}
		})
	}
}

func TestAnotherVersionIsNamed(t *testing.T) {
	_, err := protocol.DecodeAnswer([]byte(`{"version":2,"result":{"verdict":"approved"}}`))
	if err == nil || !strings.Contains(err.Error(), "another version of latchkey") {
		t.Error(err)
	}
}

func TestNoMoreIsReadThanAMessageCanBeLong(t *testing.T) {
	r := strings.NewReader(strings.Repeat("x", 1<<20))
	_, err := protocol.ReadRequest(r)
	if err == nil || !strings.Contains(err.Error(), "longer than 64 KiB") ||
		r.Len() != 1<<20-protocol.MaxMessage-1 {
		t.Errorf("%v, %d bytes left", err, r.Len())
	}
}

func TestBadAnswerIsNeitherWrittenNorRead(t *testing.T) {
	for name, change := range map[string]func(*protocol.Answer){
		"another version":             func(a *protocol.Answer) { a.Version = 0 },
		"no result":                   func(a *protocol.Answer) { a.Result = "" },
		"an unknown result":           func(a *protocol.Answer) { a.Result = "fine" },
		"a result in another case":    func(a *protocol.Answer) { a.Result = "Approved" },
		"sent without a verification": func(a *protocol.Answer) { a.SID = "" },
		"approved without one": func(a *protocol.Answer) {
			a.Result,
				a.SID = protocol.Approved, ""
		},
		"a verification that is none":   func(a *protocol.Answer) { a.SID = "VE" },
		"a status that is none":         func(a *protocol.Answer) { a.HTTPStatus = -1 },
		"an error number below 0":       func(a *protocol.Answer) { a.TwilioCode = -1 },
		"a length of codes with a send": func(a *protocol.Answer) { a.CodeLength = 6 },
		"codes of 3 digits":             func(a *protocol.Answer) { *a = probed(3) },
		"codes of 11 digits":            func(a *protocol.Answer) { *a = probed(11) },
		"codes of less than no digits":  func(a *protocol.Answer) { *a = probed(-4) },
		"a detail of two lines":         func(a *protocol.Answer) { a.Detail = "a\nb" },
		"a detail that is not ASCII":    func(a *protocol.Answer) { a.Detail = "\u202eabc" },
		"a detail that is not UTF-8":    func(a *protocol.Answer) { a.Detail = "\xff" },
		"a detail with a control":       func(a *protocol.Answer) { a.Detail = "\x1b[1m" },
		"a detail that is a long text": func(
			a *protocol.Answer) {
			a.Detail = strings.Repeat("x", protocol.MaxDetail+1)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := answer()
			change(&a)
			if data, err := protocol.EncodeAnswer(a); err == nil {
				t.Errorf("it was written: %s", data)
			}
		})
	}
}

// probed is the answer to a probe of a service whose codes have so many digits.
func probed(length int) protocol.Answer {
	return protocol.Answer{Version: 1, Result: protocol.ProbeOK, CodeLength: length}
}

func TestAnswerIsToldWithTwiliosErrorNumber(t *testing.T) {
	for want, a := range map[string]protocol.Answer{
		"busy": {Result: protocol.Busy},
		"refused: Verify refused the request (Twilio error 60200)": {
			Result: protocol.Refused, TwilioCode: 60200, Detail: "Verify refused the request"},
		"blocked (Twilio error 60410)": {Result: protocol.Blocked, TwilioCode: 60410},
		"timeout: no answer in time":   {Result: protocol.Timeout, Detail: "no answer in time"},
	} {
		if got := a.Because(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestZeroAnswerIsNoAnswer(t *testing.T) {
	var a protocol.Answer
	if a.Validate() == nil || a.Result == protocol.Approved {
		t.Error("it is")
	}
}

func TestTimeoutIsCappedAtTenSeconds(t *testing.T) {
	for ms, want := range map[int]string{1: "1ms", 9999: "9.999s", 10_000: "10s", 10_001: "10s",
		1 << 40: "10s"} {
		if got := (protocol.Request{TimeoutMS: ms}).Timeout().String(); got != want {
			t.Errorf("%d ms: %s", ms, got)
		}
	}
}

func TestRequestThatIsPrintedShowsNothingOfItself(t *testing.T) {
	r := check()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, value := range []any{r, &r, r.Service, &r.Service, []protocol.Request{r},
			struct{ R protocol.Request }{r}} {
			text := fmt.Sprintf(verb, value)
			for _, hidden := range []string{r.Code, r.To, r.Service.APISecret} {
				if strings.Contains(text, hidden) {
					t.Errorf("%s of %T: %s", verb, value, text)
				}
			}
		}
	}
}

func TestLargestRequestFits(t *testing.T) {
	r := send()
	r.Service.APISecret = strings.Repeat("<", 128)
	r.Service.CA = strings.Repeat(certificate, access.MaxCA/len(certificate))
	// which JSON writes in six bytes
	r.Service.CA += strings.Repeat("<", access.MaxCA-len(r.Service.CA))
	if _, err := protocol.EncodeRequest(r); err != nil {
		t.Error(err)
	}
}

func TestProtocolLinksNoNetwork(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range strings.Fields(string(out)) {
		if strings.Contains(path, ".") || path == "net" || path == "os/exec" ||
			strings.HasPrefix(path, "net/http") || strings.HasPrefix(path, "crypto") {
			t.Errorf("it links %s", path)
		}
	}
}
