package main_test

import (
	"net/http"
	"strings"
	"testing"

	"latchkey/pam/method"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/standin"
)

// otherSID belongs to no verification.
func otherSID(kind string) string { return kind + strings.Repeat("f", 32) }

var faults = []struct {
	name  string
	fault standin.Fault
	want  protocol.Result
}{
	// FAULTS 25.
	{"silence", standin.Silence, protocol.Timeout},
	{"one byte a second", standin.Drip, protocol.Timeout},
	{"100 MB", standin.Flood, protocol.Invalid},
	{"a connection that is reset", standin.Reset, protocol.Failed},
	{"HTML", standin.HTML, protocol.Invalid},
	{"HTML that says it is JSON", standin.Body("<p>approved"), protocol.Invalid},
	{"nothing", standin.Body(""), protocol.Invalid},
	{"{}", standin.Body("{}"), protocol.Invalid},
	{"null", standin.Body("null"), protocol.Invalid},
	{"a list", standin.Body("[]"), protocol.Invalid},
	{"a string", standin.Body(`"approved"`), protocol.Invalid},
	{"only a status", standin.Body(`{"status":"approved"}`), protocol.Invalid},
	{"trailing junk", standin.Trailing("junk"), protocol.Invalid},
	{"a second object behind the first", standin.Trailing(`{"status":"approved"}`),
		protocol.Invalid},
	{"a redirect to approved that changes the method", standin.Redirect(302), protocol.Invalid},
	{"a redirect to approved that keeps the method", standin.Redirect(307), protocol.Invalid},
	{"approved for another verification", standin.Approve(map[string]any{"sid": otherSID("VE")}),
		protocol.Invalid},
	{"approved for another number", standin.Approve(map[string]any{"to": "+15551230124"}),
		protocol.Invalid},
	{"approved for another service", standin.Approve(
		map[string]any{"service_sid": otherSID("VA")}), protocol.Invalid},
	{"approved for another account", standin.Approve(
		map[string]any{"account_sid": otherSID("AC")}), protocol.Invalid},

	// More of the kind.
	{"approved for no verification", standin.Approve(map[string]any{"sid": standin.Absent}),
		protocol.Invalid},
	{"approved for no number", standin.Approve(map[string]any{"to": standin.Absent}),
		protocol.Invalid},
	{"approved for no service", standin.Approve(map[string]any{"service_sid": standin.Absent}),
		protocol.Invalid},
	{"approved for no account", standin.Approve(map[string]any{"account_sid": standin.Absent}),
		protocol.Invalid},
	{"no status", standin.Approve(map[string]any{"status": standin.Absent}), protocol.Invalid},
	{"a status of null", standin.Approve(map[string]any{"status": nil}), protocol.Invalid},
	{"a status that is a boolean", standin.Approve(map[string]any{"status": true}),
		protocol.Invalid},
	{"a status that is unknown", standin.Approve(map[string]any{"status": "fine"}),
		protocol.Invalid},
	{"a status in another case", standin.Approve(map[string]any{"status": "Approved"}),
		protocol.Invalid},
	{"approved and not valid", standin.Approve(map[string]any{"valid": false}), protocol.Invalid},
	{"pending and valid", standin.Approve(map[string]any{"status": "pending"}), protocol.Invalid},
	{"canceled", standin.Approve(map[string]any{"status": "canceled", "valid": false}),
		protocol.Gone},
	{"expired", standin.Approve(map[string]any{"status": "expired", "valid": false}),
		protocol.Gone},
	{"deleted", standin.Approve(map[string]any{"status": "deleted"}), protocol.Gone},
	{"failed", standin.Approve(map[string]any{"status": "failed"}), protocol.Gone},
	{"exhausted", standin.Approve(map[string]any{"status": "max_attempts_reached"}),
		protocol.TooManyChecks},
	{"two statuses", twice(`"status"`), protocol.Invalid},
	{"two statuses in two cases", twice(`"STATUS"`), protocol.Invalid},
	{"two statuses of which one is spelled with another s", twice(`"ſtatus"`), protocol.Invalid},
	{"a date that is none", standin.Approve(map[string]any{"date_created": "yesterday"}),
		protocol.Invalid},
	{"approved, accepted", standin.Status(202), protocol.Invalid},
	{"approved, in part", standin.Status(206), protocol.Invalid},
	{"approved, not modified", standin.Status(304), protocol.Invalid},
	{"approved as text", standin.Typed("text/plain"), protocol.Invalid},
	{"approved as nothing", standin.Typed(""), protocol.Invalid},
	{"approved as an error", standin.Status(400), protocol.Refused},
	{"approved as a failure", standin.Status(500), protocol.Failed},
	{"something that is not HTTP", standin.Raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"), protocol.Invalid},
	{"half an answer", standin.Raw(
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"),
		protocol.Failed},
	{"a megabyte of headers", standin.Raw("HTTP/1.1 200 OK\r\n" +
		strings.Repeat("X: y\r\n", 1<<18)), protocol.Invalid},

	// FAULTS 27.
	{"401", standin.Error(401, 20003), protocol.Credentials},
	{"401 without a number", standin.Answer(401, "text/plain", ""), protocol.Credentials},
	{"404", standin.Error(404, 20404), protocol.Gone},
	{"404 from something else", standin.Answer(404, "text/html", "<h1>Not found"),
		protocol.Invalid},
	{"429: too many checks", standin.Error(429, 60202), protocol.TooManyChecks},
	{"429: too many sends", standin.Error(429, 60203), protocol.TooManySends},
	{"429: concurrent", standin.Error(429, 60212), protocol.Busy},
	{"429: not processed", standin.Error(429, 20429), protocol.Busy},
	{"429 without a number", standin.Answer(429, "text/plain", "slow down"), protocol.Busy},
	{"400: parameter", standin.Error(400, 60200), protocol.Refused},
	{"400: country", standin.Error(400, 60220), protocol.Refused},
	{"400: channel", standin.Error(400, 60223), protocol.Refused},
	{"403: blocked", standin.Error(403, 60238), protocol.Blocked},
	{"403: fraud guard", standin.Error(403, 60410), protocol.Blocked},
	{"403: geo-permission", standin.Error(403, 60605), protocol.Blocked},
	{"403: permission", standin.Error(403, 70051), protocol.Permission},
	{"403: something new", standin.Error(403, 99999), protocol.Refused},
	{"403 that is no JSON", standin.Answer(403, "text/plain",
		`{"code":60410,"message":"","more_info":"","status":403}`), protocol.Refused},
	{"500", standin.Error(500, 20500), protocol.Failed},
	{"503 as a page", standin.Answer(503, "text/html", "<h1>Unavailable"), protocol.Failed},
	{"500 that says gone", standin.Error(500, 20404), protocol.Failed},
}

func TestRightCodeIsNotApprovedWhereVerifyMisbehaves(t *testing.T) {
	for _, c := range faults {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, r := pending(t)
			s.Fail(c.fault)
			r.TimeoutMS = deadlineFor(c.want)
			want(t, ask(t, r), c.want)
			if s.Checks() != 1 || len(s.Seen()) != 2 || s.Connections() != 2 {
				t.Errorf("%d checks, %d requests, %d connections", s.Checks(), len(s.Seen()),
					s.Connections())
			}
		})
	}
}

func TestSendIsNotTakenForSentNorRepeatedWhereVerifyMisbehaves(t *testing.T) {
	for _, c := range faults {
		result := c.want
		switch {
		case c.name == "approved for another verification":
			continue // no verification is known before the send
		case c.name == "pending and valid", result == protocol.Gone &&
			!strings.HasPrefix(c.name, "404"), c.name == "exhausted":
			result = protocol.Invalid
		case c.name == "404":
			result = protocol.UnknownService
		}
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := startStandin(t, standin.Options{})
			s.Fail(c.fault)
			r := sendTo(s.Settings(), method.SMS)
			r.TimeoutMS = deadlineFor(c.want)
			want(t, ask(t, r), result)
			if s.Sends() != 1 || len(s.Seen()) != 1 || s.Connections() != 1 {
				t.Errorf("%d sends, %d requests, %d connections", s.Sends(), len(s.Seen()),
					s.Connections())
			}
		})
	}
}

func TestVerificationThatIsApprovedBeforeItsCodeWasTypedIsNoSend(t *testing.T) {
	s := startStandin(t, standin.Options{})
	s.Fail(standin.Approve(nil))
	want(t, ask(t, sendTo(s.Settings(), method.SMS)), protocol.Invalid)
}

func TestSendThatFailedAfterItWentOutIsNotRepeated(t *testing.T) {
	s := startStandin(t, standin.Options{})
	s.FailOnce(standin.ErrorAfter(500, 20500))
	a := want(t, ask(t, sendTo(s.Settings(), method.SMS)), protocol.Failed)
	if s.Sends() != 1 || len(s.Seen()) != 1 || s.Code(number) == "" || a.HTTPStatus != 500 ||
		a.TwilioCode != 20500 {
		t.Errorf("%d sends, %+v", s.Sends(), a)
	}
}

// meter counts what the server could write of an answer.
type meter struct {
	http.ResponseWriter
	written int
}

func (m *meter) Write(p []byte) (int, error) {
	n, err := m.ResponseWriter.Write(p)
	m.written += n
	return n, err
}

func TestAnswerOf100MBIsNotReadToItsEnd(t *testing.T) {
	s, r := pending(t)
	written := make(chan int, 1)
	s.Fail(func(f standin.Faulty) {
		m := &meter{ResponseWriter: f.Writer}
		f.Writer = m
		standin.Flood(f)
		written <- m.written
	})
	want(t, ask(t, r), protocol.Invalid)
	if n := <-written; n > 50<<20 { // what is on the way counts as written
		t.Errorf("%d bytes were read", n)
	}
}

func TestApprovalWithoutTheOlderFieldIsApproval(t *testing.T) {
	for name, fault := range map[string]standin.Fault{
		"valid is absent": standin.Approve(map[string]any{"valid": standin.Absent}),
		"status 201":      standin.Status(201),
		"a charset":       standin.Typed("application/json; charset=utf-8"),
		"space behind it": standin.Trailing("\n"),
	} {
		t.Run(name, func(t *testing.T) {
			s, r := pending(t)
			s.Fail(fault)
			want(t, ask(t, r), protocol.Approved)
		})
	}
}

// deadlineFor is short only where the deadline is what ends the request.
func deadlineFor(r protocol.Result) int {
	if r == protocol.Timeout {
		return short
	}
	return long
}

// twice says that the code is wrong and then, under a name that encoding/json takes for the same,
// that it is right.
func twice(name string) standin.Fault {
	return standin.Rewrite(func(text string) string {
		return `{"status":"pending","valid":false,` +
			strings.NewReplacer(`"status"`, name, `"valid"`, `"VALID"`).Replace(text[1:])
	})
}
