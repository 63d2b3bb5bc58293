package policy

import (
	"net/netip"
	"os"
	"reflect"
	"testing"
	"time"

	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/policy/value"
)

// parse is Parse for text that must be valid.
func parse(t *testing.T, text string) *Policy {
	t.Helper()
	p, err := Parse("latchkey.toml", []byte(text))
	if err != nil {
		t.Fatalf("%v\nin:\n%s", err, text)
	}
	return p
}

// readExample returns the annotated example of the documentation.
func readExample(t testing.TB) string {
	t.Helper()
	text, err := os.ReadFile("testdata/example.toml")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDocumentedExampleMeansWhatItSays(t *testing.T) {
	want := &Policy{
		Unenrolled: UnenrolledDeny,
		EnrollBy:   value.Date{Year: 2027, Month: time.January, Day: 31},
		Issuer:     "Example Ltd",
		Help:       "Help desk: +1 555 0100",
		Tries:      3,
		Limits: limit.Guesses{Failures: limit.Rate{Count: 10, Window: 10 * time.Minute},
			Lock: 15 * time.Minute, Consecutive: 100},
		Phone: Phone{
			Methods: []method.Method{method.SMS, method.Call},
			Sends: limit.Sends{User: limit.Rate{Count: 5, Window: time.Hour},
				Host: limit.Rate{Count: 100, Window: time.Hour}},
			Prefixes: []string{"+1", "+44"},
			Locale:   "en",
		},
		Trust: Trust{Bind: []Bind{BindKey}},
		Log:   Log{Format: LogText},
		Rules: []Rule{{
			Line:    23,
			Users:   []string{"alice"},
			Groups:  []string{"wheel", "@unix"},
			From:    []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
			Require: RequireCode,
			Methods: method.All(),
		}},
	}
	if got := parse(t, readExample(t)); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestEmptyFileHasTheDefaults(t *testing.T) {
	want := &Policy{
		Unenrolled: UnenrolledDeny,
		Tries:      3,
		Limits: limit.Guesses{Failures: limit.Rate{Count: 10, Window: 10 * time.Minute},
			Lock: 15 * time.Minute, Consecutive: 100},
		Phone: Phone{
			Methods: []method.Method{method.SMS, method.Call},
			Sends: limit.Sends{User: limit.Rate{Count: 5, Window: time.Hour},
				Host: limit.Rate{Count: 100, Window: time.Hour}},
			Locale: "en",
		},
		Trust: Trust{Bind: []Bind{BindKey}},
		Log:   Log{Format: LogText},
	}
	for _, text := range []string{"", "\n", "# nothing\r\n", "[limits]\n[phone]\n[trust]\n"} {
		if got := parse(t, text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\ngot  %+v\nwant %+v", text, got, want)
		}
	}
}

func TestEveryKeyIsStored(t *testing.T) {
	got := parse(t, `unenrolled = "enroll"
enroll_by = 2028-02-29
[log]
format = "json"
[trust]
days = 365
bind = ["address", "key"]
[phone]
methods = []
auto = true
sends_per_user = "1000/24h"
sends_per_host = "10000/1s"
prefixes = []
locale = "pt-BR"
[limits]
tries = 10
failures = "64/1h30m"
lock = "24h"
consecutive = 0
[[rule]]
services = ["sshd", "sudo-i"]
from = ["192.0.2.7", "2001:db8::/32", "::1"]
require = "none"
[[rule]]
require = "deny"
`)
	want := &Policy{
		Unenrolled: UnenrolledEnroll,
		EnrollBy:   value.Date{Year: 2028, Month: time.February, Day: 29},
		Tries:      10,
		Limits: limit.Guesses{Failures: limit.Rate{Count: 64, Window: 90 * time.Minute},
			Lock: 24 * time.Hour},
		Phone: Phone{
			Methods: []method.Method{},
			Auto:    true,
			Sends: limit.Sends{User: limit.Rate{Count: 1000, Window: 24 * time.Hour},
				Host: limit.Rate{Count: 10000, Window: time.Second}},
			Prefixes: []string{},
			Locale:   "pt-BR",
		},
		Trust: Trust{Days: 365, Bind: []Bind{BindAddress, BindKey}},
		Log:   Log{Format: LogJSON},
		Rules: []Rule{
			{
				Line:     20,
				Services: []string{"sshd", "sudo-i"},
				From: []netip.Prefix{
					netip.MustParsePrefix("192.0.2.7/32"), netip.MustParsePrefix("2001:db8::/32"),
					netip.MustParsePrefix("::1/128"),
				},
				Require: RequireNone,
			},
			{Line: 24, Require: RequireDeny},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestLeastValuesAreAccepted(t *testing.T) {
	p := parse(t, "unenrolled = 'allow'\n[limits]\ntries = 1\nfailures = '1/1s'\nlock = '1s'\n"+
		"[phone]\nsends_per_user = '1/1s'\n[trust]\ndays = 0")
	if p.Unenrolled != UnenrolledAllow || p.Tries != 1 ||
		p.Limits.Failures != (limit.Rate{Count: 1, Window: time.Second}) ||
		p.Limits.Lock != time.Second {
		t.Errorf("got %+v", p)
	}
}

func TestZeroValuesDeny(t *testing.T) {
	var d Decision
	if d.Require == RequireNone || d.Require == RequireCode || d.Require.String() != "deny" {
		t.Errorf("the zero Require is %q", d.Require)
	}
	var u Unenrolled
	if u == UnenrolledAllow || u == UnenrolledEnroll || u.String() != "deny" {
		t.Errorf("the zero Unenrolled is %q", u)
	}
}

func TestWordsPrintAsInTheFile(t *testing.T) {
	for got, want := range map[string]string{
		RequireNone.String():      "none",
		RequireCode.String():      "code",
		UnenrolledAllow.String():  "allow",
		UnenrolledEnroll.String(): "enroll",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
