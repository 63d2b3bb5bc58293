package audit_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"latchkey/pam/audit"
)

// received sends an entry to a logger and returns what arrives there, without its priority.
func received(t *testing.T, e audit.Entry) string {
	t.Helper()
	conn, path := logger(t)
	audit.Syslog{Path: path, JSON: true}.Log(audit.Notice, e)
	buf := make([]byte, 8192)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(string(buf[:n]), "<85>")
}

func TestAnEntryInJSONHasTheFieldsOfTheLine(t *testing.T) {
	for want, e := range map[string]audit.Entry{
		`latchkey: {"verdict":"deny","user":"alice","service":"sshd","from":"192.0.2.7",` +
			`"method":"totp","device":"phone","reason":"replayed","tries":1,"ms":4}`: replayed(),
		`latchkey: {"change":"add","user":"alice","by":"root","device":"app","detail":"totp"}`: audit.
			Change{What: "add", User: "alice", By: "root", Device: "app", Detail: "totp"},
		`latchkey: {"ended":7,"program":"enroll","uid":1000,"lock":"/x"}`: audit.Ended{Process: 7,
			Program: "enroll", UID: 1000, Lock: "/x"},
		`latchkey: {"untold":"lock","user":"alice","program":"/x","detail":"exit status 1"}`: audit.
			Untold{Event: "lock", User: "alice", Program: "/x", Detail: "exit status 1"},
	} {
		if got := received(t, e); got != want {
			t.Errorf("got\n%s, want\n%s", got, want)
		}
	}
}

func TestAValueFromOutsideCannotForgeAFieldInJSON(t *testing.T) {
	for value, want := range map[string]string{
		`a","reason":"ok`:        `a","reason":"ok`,
		"a\nlatchkey: {}":        "a\nlatchkey: {}",
		"größe \U0001f600":       "größe \U0001f600",
		"a\x00\x1b[2J\u2028\\u0": "a\x00\x1b[2J\u2028\\u0",
		"a\xffb":                 "a\ufffdb",
		strings.Repeat("x", 999): strings.Repeat("x", 255),
	} {
		l := replayed()
		l.User, l.Service, l.From, l.Device, l.Detail = value, value, value, value, value
		line := received(t, l)
		for _, c := range []byte(line) {
			if c < 0x20 || c > 0x7e {
				t.Errorf("%q: the line has the byte %#x; want printable ASCII", value, c)
			}
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(strings.TrimPrefix(line, "latchkey: ")), &got); err != nil {
			t.Errorf("%q: %v in %s", value, err, line)
		}
		if len(got) != 10 || got["user"] != want || got["detail"] != want ||
			got["reason"] != "replayed" || got["verdict"] != "deny" {
			t.Errorf("got %q; want ten fields, and %q from outside", got, want)
		}
	}
}

func TestTheJournalGetsTheFields(t *testing.T) {
	conn, path := logger(t)
	_, unused := logger(t)
	l := replayed()
	l.User, l.Took = "a\nLATCHKEY_VERDICT=allow", 4*time.Millisecond
	audit.Syslog{Path: unused, Journal: path}.Log(audit.Warning, l)
	buf := make([]byte, 8192)
	n, err := conn.Read(buf)
	want := `MESSAGE=verdict=deny user="a\x0aLATCHKEY_VERDICT=allow" service="sshd" ` +
		`from="192.0.2.7" method=totp device="phone" reason=replayed tries=1 ms=4
PRIORITY=4
SYSLOG_FACILITY=10
SYSLOG_IDENTIFIER=latchkey
LATCHKEY_VERDICT=deny
LATCHKEY_USER=a\x0aLATCHKEY_VERDICT=allow
LATCHKEY_SERVICE=sshd
LATCHKEY_FROM=192.0.2.7
LATCHKEY_METHOD=totp
LATCHKEY_DEVICE=phone
LATCHKEY_REASON=replayed
LATCHKEY_TRIES=1
LATCHKEY_MS=4
`
	if got := string(buf[:n]); got != want || err != nil {
		t.Errorf("got\n%s, %v; want\n%s", got, err, want)
	}
}

func TestWithoutAJournalTheLineGoesToSyslog(t *testing.T) {
	conn, path := logger(t)
	audit.Syslog{Path: path, Journal: path + "-missing"}.Log(audit.Warning, replayed())
	buf := make([]byte, 8192)
	n, err := conn.Read(buf)
	if want := "<84>" + replayed().String(); string(buf[:n]) != want || err != nil {
		t.Errorf("got %q, %v; want %q", buf[:n], err, want)
	}
}
