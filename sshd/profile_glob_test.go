package sshd_test

import (
	"testing"

	"latchkey/sshd/apparmor"
	"latchkey/sshd/suite"
)

// What a path is allowed is decided as apparmor.d(5) says.
func globsMatch(t *testing.T, h *suite.Host) {
	rules, err := apparmor.Compile(h, globs)
	must(t, err)
	x := rules.Named("x")
	for _, c := range []struct{ path, own, foreign string }{
		{"/one/a", "r", "r"}, {"/one/", "", ""}, {"/one/a/b", "", ""}, {"/one/.a", "r", "r"},
		{"/all/a", "wa", "wa"}, {"/all/a/b", "wa", "wa"}, {"/all/", "", ""}, {"/all", "", ""},
		{"/or/a", "r", "r"}, {"/or/bc", "r", "r"}, {"/or/b", "", ""}, {"/or/", "r", "r"},
		{"/set/a", "r", "r"}, {"/set/c", "", ""}, {"/set/x", "", ""}, {"/range/7", "r", "r"},
		{"/any/ab", "r", "r"}, {"/any/a", "", ""}, {"/any/a/", "", ""},
		{"/proc/17/stat", "r", "r"}, {"/proc/x/stat", "", ""}, {"/proc/self/stat", "", ""},
		{"/deny/a", "wra", "wra"}, {"/deny/secret", "wa", "wa"}, {"/deny/secret/a", "wra", "wra"},
		{"/mine/a", "wra", "r"}, {"/folder/", "r", "r"}, {"/folder", "", ""},
		{"/lock", "k", "k"}, {"/map", "m", "m"}, {"/append", "a", "a"}, {"/", "", ""},
	} {
		if own, foreign := x.Allows(c.path, true).String(), x.Allows(c.path, false).String(); own !=
			c.own || foreign != c.foreign {
			t.Errorf("%s: got %q for the owner and %q for others, want %q and %q", c.path, own,
				foreign, c.own, c.foreign)
		}
	}
	for capability, want := range map[string]bool{"chown": true, "setuid": false, "": false} {
		if got := x.Capable(capability); got != want {
			t.Errorf("capability %s: got %v, want %v", capability, got, want)
		}
	}
	for program, want := range map[string]string{"/same": "x", "/free": "", "/y": "y", "/z": "",
		"/no": "denied", "/only/y": "denied", "/w": "denied"} {
		got := ""
		if next, err := rules.Run(x, program, false); err != nil {
			got = "denied"
		} else if next != nil {
			got = next.Name
		}
		if got != want {
			t.Errorf("%s runs under %q, want %q", program, got, want)
		}
	}
	for _, c := range []struct {
		link, target string
		want         bool
	}{{"/links/a", "/links/b", true}, {"/links/a", "/one/a", false}, {"/one/a", "/one/b", false}} {
		if got := x.AllowsLink(c.link, c.target, true); got != c.want {
			t.Errorf("a link %s to %s: got %v, want %v", c.link, c.target, got, c.want)
		}
	}
}

// globs are rules of every kind that our profiles have.
const globs = `abi <abi/3.0>,
include <tunables/global>
profile x /x {
  capability chown,
  /one/* r,
  /all/** w,
  /or/{,a,bc} r,
  /set/[ab] r,
  /range/[0-9] r,
  /any/?? r,
  @{PROC}/@{pid}/stat r,
  /deny/** rw,
  deny /deny/secret r,
  /mine/* r,
  owner /mine/* w,
  /folder/ r,
  /lock k,
  /map m,
  /append a,
  /same ix,
  /free ux,
  /{y,z} pux,
  /only/y px,
  link subset /links/* -> /links/*,
}
profile y /y {
  /a r,
}
`
