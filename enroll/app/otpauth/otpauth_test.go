package otpauth_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/app/otpauth"
	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
)

// device is an app with unusual parameters, which an oracle must have read to show its codes.
var device = record.Device{
	Type: method.TOTP, Algorithm: "SHA256", Digits: 8, Period: 60 * time.Second,
	Secret: []byte("12345678901234567890"),
}

// issuers are names that some app once cut, or showed with another character.
var issuers = []string{
	"a&b", "a+b", "two words", "ü", "100%", "%41", "a:b", "a/b", "a#b", "a?b", "a=b", "a@b",
	`a"b`, "例え", strings.Repeat("long ", 20) + "name",
}

func parameters(t *testing.T, uri string) url.Values {
	t.Helper()
	u, err := url.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query()
}

// codesNow are the device's codes before and after what work does.
func codesNow(t *testing.T, d record.Device, work func()) (codes []string) {
	t.Helper()
	before := oath.Step(&d, time.Now())
	work()
	for step := before; step <= oath.Step(&d, time.Now()); step++ {
		code, err := oath.Code(&d, step)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, code)
	}
	return codes
}

func TestEveryAppReadsIssuerNameAndCode(t *testing.T) {
	for _, o := range oracles {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			home := o.open(t)
			for _, issuer := range issuers {
				t.Run(issuer, func(t *testing.T) { reads(t, o, home, issuer) })
			}
		})
	}
}

func reads(t *testing.T, o oracle, home, issuer string) {
	if strings.ContainsAny(issuer, o.cannot) {
		t.Skipf("%s reads no issuer with one of %s", o.name, o.cannot)
	}
	var got shown
	uri := otpauth.URI(otpauth.Account{Issuer: issuer, Host: "web1.example", User: "alice"},
		device)
	codes := codesNow(t, device, func() { got = o.read(t, home, uri) })
	if !strings.Contains(strings.Join(codes, " "), got.code) || len(got.code) != device.Digits {
		t.Errorf("%s: the code is %q, want one of %q", uri, got.code, codes)
	}
	if !o.codes && (got.issuer != issuer || got.name != "alice@web1.example") {
		t.Errorf("%s: got %q and %q, want %q and alice@web1.example", uri, got.issuer, got.name,
			issuer)
	}
}

// Every app splits at the first colon, so a label has at most the one between issuer and name;
// and "+" is a blank to some.
func TestURIsAreReadTheSameByAppsThatUndoAnyEscapes(t *testing.T) {
	for _, issuer := range issuers {
		a := otpauth.Account{Issuer: issuer, Host: "web1.example", User: `EX\al+ice`}
		for _, uri := range append(otpauth.Short(a, device.Secret), otpauth.URI(a, device)) {
			if strings.ContainsAny(uri, "+ #\"\\") || strings.Count(uri, "?") != 1 ||
				strings.Count(uri, ":") > 2 {
				t.Errorf("%q: got %s, which apps read differently", issuer, uri)
			}
			if strings.ContainsFunc(uri, func(c rune) bool { return c <= ' ' || c > '~' }) {
				t.Errorf("%q: got %s, want ASCII", issuer, uri)
			}
		}
	}
}

func TestTwoHostsOfOneIssuerCanBeToldApart(t *testing.T) {
	for _, issuer := range []string{"", "Example Ltd", "web1.example", "a:b"} {
		seen := map[string]string{}
		for _, host := range []string{"web1.example", "web2.example"} {
			a := otpauth.Account{Issuer: issuer, Host: host, User: "alice"}
			short := otpauth.Short(a, device.Secret)
			// the last is for names that leave no room
			for _, uri := range append(short[:len(short)-1], otpauth.URI(a, device)) {
				if other := seen[uri]; other != "" && other != host {
					t.Errorf("issuer %q: %s is both hosts'", issuer, uri)
				}
				seen[uri] = host
			}
		}
	}
}

func TestWithoutAnIssuerTheAppShowsTheHost(t *testing.T) {
	a := otpauth.Account{Host: "web1.example", User: "alice"}
	usual := device
	usual.Algorithm, usual.Digits, usual.Period = "SHA1", 6, 30*time.Second
	want := "otpauth://totp/web1.example:alice?algorithm=SHA1&digits=6" +
		"&issuer=web1.example&period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	if got := otpauth.URI(a, usual); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	token := usual
	token.Type = method.HOTP
	want = "otpauth://hotp/web1.example:alice?algorithm=SHA1&digits=6" +
		"&issuer=web1.example&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	if got := otpauth.URI(a, token); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
