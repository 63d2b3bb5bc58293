package value

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"latchkey/pam/limit"
)

func TestNames(t *testing.T) {
	for name, want := range map[string]bool{
		"alice": true, "a": true, "a.b": true, "backup$": true, "alice@corp.example": true,
		`CORP\Domain Admins`: true, "jürgen": true,
		strings.Repeat("a", maxName): true, strings.Repeat("a", maxName+1): false,
		"": false, " a": false, "a ": false, "*": false, "al?ce": false, "a/b": false, "@a": false,
		"%a": false, "!a": false,
		"+a": false, "-a": false, "a\n": false, "a\tb": false, "a\x1b": false, "a\u202eb": false,
	} {
		if isName(name) != want {
			t.Errorf("isName(%q) is %v", name, !want)
		}
	}
}

func TestGroups(t *testing.T) {
	for name, want := range map[string]bool{
		"wheel": true, "@unix": true, "": false, "@": false, "@@unix": false, "@%unix": false,
		"%wheel": false,
	} {
		if isGroup(name) != want {
			t.Errorf("isGroup(%q) is %v", name, !want)
		}
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]bool{
		"1/1s": true, "64/24h": true, "10/1h30m": true, "10/60s": true,
		"": false, "/": false, "10/": false, "/10m": false, "10/10m/1": false, "+10/10m": false,
		"-1/10m": false, "1e1/10m": false,
		"1_0/10m": false, "10/10": false, "10/1d": false, "10/-1m": false, "10/+1m": false,
		"10/1.5h": false, "10/1500ms": false,
		"10/1µs": false, "10/25h": false, "10/99999999999h": false, " 10/10m": false,
		"10 / 10m": false, "65536/1s": false,
		"18446744073709551617/1s": false,
	} {
		if _, ok := parseRate(text, 64); ok != want {
			t.Errorf("parseRate(%q) is %v", text, ok)
		}
	}
}

func TestLiteralAddresses(t *testing.T) {
	for rhost, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:DB8::1": "2001:db8::1",
		"fe80::1%eth0": "fe80::1",
		"":             "invalid IP", "localhost": "invalid IP", "192.0.2.7 ": "invalid IP",
		" 192.0.2.7":   "invalid IP",
		"192.0.2.7:22": "invalid IP", "[::1]": "invalid IP", "192.0.2.007": "invalid IP",
		"3221225991":   "invalid IP",
		"192.0.2.0/24": "invalid IP", "192.0.2.7.example": "invalid IP",
		"192.0.2.7\n": "invalid IP",
	} {
		if got := LiteralAddress(rhost).String(); got != want {
			t.Errorf("LiteralAddress(%q) is %s, want %s", rhost, got, want)
		}
	}
	if LiteralAddress("") != (netip.Addr{}) {
		t.Error("no address is an address")
	}
}

func TestEveryRateIsReadBackAsPrinted(t *testing.T) {
	for s := time.Second; s <= 24*time.Hour; s += 7 * time.Second {
		want := limit.Rate{Count: 3, Window: s}
		if got, ok := parseRate(want.String(), 3); !ok || got != want {
			t.Fatalf("%q is read as %v", want, got)
		}
	}
}

func TestDatesPrintAsInTheFile(t *testing.T) {
	for date, want := range map[Date]string{{}: "", {2027, time.March, 4}: "2027-03-04"} {
		if got := date.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNetworkOfMappedAddressesIsOneOfIPv4(t *testing.T) {
	for given, want := range map[string]string{
		"::ffff:0:0/96": "0.0.0.0/0", "::ffff:10.0.0.0/104": "10.0.0.0/8",
		"::ffff:0:0/95": "::fffe:0:0/95", "10.1.2.3/8": "10.0.0.0/8",
	} {
		if got := plainNetwork(netip.MustParsePrefix(given)).String(); got != want {
			t.Errorf("%s: got %s, want %s", given, got, want)
		}
	}
}
