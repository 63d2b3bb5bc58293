package trust

import (
	"net/netip"
	"testing"

	"latchkey/pam/state"
)

func TestOfAnAddressTheClientsNetworkCounts(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.7":             "192.0.2.7",
		"::ffff:192.0.2.7":      "192.0.2.7",
		"2001:db8:1:2:3:4:5:6":  "2001:db8:1:2::",
		"2001:db8:1:2::":        "2001:db8:1:2::",
		"fd00::1":               "fd00::",
		"::1":                   "::1",
		"127.0.0.1":             "127.0.0.1",
		"64:ff9b::c000:207":     "64:ff9b::c000:207",
		"64:ff9b:1:2::c000:207": "64:ff9b:1:2::c000:207",
		"::ffff:0:c000:207":     "::ffff:0:c000:207",
		"2001:0:1:2:3:4:5:6":    "2001:0:1:2:3:4:5:6",
		"fe80::1%eth0":          "",
		"169.254.1.1":           "",
		"224.0.0.1":             "",
		"ff02::1":               "",
		"::":                    "",
		"0.0.0.0":               "",
	} {
		got := ""
		if a := network(netip.MustParseAddr(from)); a.IsValid() {
			got = a.String()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", from, got, want)
		}
	}
	if network(netip.Addr{}).IsValid() {
		t.Error("no address has a network")
	}
}

func TestLabelSaysWhatAComputerIsRecognizedBy(t *testing.T) {
	key := [16]byte{1, 2, 3}
	const print = "SHA256:AQIDAAAAAAAAAAAAAAAAA"
	v4, v6 := netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8:1:2::")
	for want, c := range map[string]state.Trust{
		print:                     {Key: key, Anywhere: true, From: v4},
		"192.0.2.7":               {From: v4},
		"2001:db8:1:2::/64":       {From: v6},
		"::1":                     {From: netip.IPv6Loopback()},
		print + " from 192.0.2.7": {Key: key, From: v4},
	} {
		if got := Label(c); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// A trust that is bound to nothing, if ever there is one, is not in any computer.
func TestNothingIsRecognizedByNothing(t *testing.T) {
	c := Computer{From: netip.MustParseAddr("192.0.2.7")}
	if c.is(state.Trust{Anywhere: true}) || c.is(state.Trust{}) || c.Known() {
		t.Error("a computer was recognized by nothing")
	}
}

// Trust that was given before a host joined a fleet has its tag from the service alone.
func TestPlaceOfTrustIsTheServiceAndInAFleetTheHostToo(t *testing.T) {
	for _, c := range []struct{ service, host, want string }{
		{"sshd", "", "sshd"},
		{"sshd", "web1", "sshd\x00web1"},
		{"", "web1", "\x00web1"},
	} {
		if got := (Computer{Service: c.service, Host: c.host}).place(); got != c.want {
			t.Errorf("%q on %q: got %q, want %q", c.service, c.host, got, c.want)
		}
	}
}
