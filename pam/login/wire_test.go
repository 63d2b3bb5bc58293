package main_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

const internal = `verdict=deny user="" service="" from="" method=none device="" reason=internal ` +
	`tries=0 ms=0 detail=`

func TestMalformedHelloIsDeniedAndLogged(t *testing.T) {
	good := hello("alice")
	cases := []struct{ name, frame, says string }{
		{"of another version", "H1" + good[1:], "another version"},
		{"of a later version", "H3" + good[1:], "another version"},
		{"of a version that begins alike", "H20" + good[1:], "another version"},
		{"without a version", "H" + good[2:], "another version"},
		{"with nothing in it", "H", "another version"},
		{"of another type", "A" + good, `type 'A'`},
		{"of garbage", "\xff\xfe\x00\x01garbage", `type`},
		{"of zeros", strings.Repeat("\x00", 1000), `type`},
		{"with fields only", "H2\x00", "has no user"},
		{"with a field that does not end", "H" + strings.TrimSuffix(good, "\x00"), "malformed"},
		{"with a field without a value", "H" + good + "own\x00", "malformed"},
		{"with an empty field", "H" + good + "\x00", "malformed"},
		{"with an unknown field", "H" + good + "colour=blue\x00", "unknown field"},
		{"with version 1's fields", "H" + good + "tty=ssh\x00ruser=\x00silent=0\x00",
			"unknown field"},
		{"with the user twice", "H" + good + "user=root\x00", "malformed"},
		{"with the uid twice", "H" + good + "uid=0\x00", "malformed"},
		{"without a user", "H" + strings.Replace(good, "user=alice\x00", "", 1), "no user"},
		{"without a name", "H" + strings.Replace(good, "name=alice\x00", "", 1), "no name"},
		{"without a uid", "H" + strings.Replace(good, "uid=1000\x00", "", 1), "no uid"},
		{"without a service", "H" + strings.Replace(good, "service=sshd\x00", "", 1),
			"no service"},
		{"without a host", "H" + strings.Replace(good, "rhost=192.0.2.7\x00", "", 1), "no rhost"},
		{"without the other methods", "H" + strings.Replace(good, "auth_info=\x00", "", 1),
			"no auth_info"},
		{"with no uid at all", "H" + strings.Replace(good, "uid=1000", "uid=", 1),
			"malformed uid"},
		{"with a negative uid", "H" + strings.Replace(good, "uid=1000", "uid=-1", 1),
			"malformed uid"},
		{"with a uid that is too large",
			"H" + strings.Replace(good, "uid=1000", "uid=4294967296", 1), "malformed uid"},
		{"with a uid in words", "H" + strings.Replace(good, "uid=1000", "uid=root", 1),
			"malformed uid"},
		{"that is too long", "H" + good + "arg=" + strings.Repeat("x", 32768) + "\x00",
			"too long"},
	}
	h := newHost(t, "[[rule]]\nrequire = \"none\"\n")
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h.t = t
			g := h.start(nil)
			g.send(c.frame)
			g.verdict("deny 4")
			h.logged(internal + `".*` + c.says + `.*"`)
			h.silent()
		})
	}
}

func TestLongestHelloIsRead(t *testing.T) {
	h := newHost(t, "")
	g := h.start(nil)
	frame := "H" + hello("alice") + "arg="
	g.send(frame + strings.Repeat("x", 32768-len(frame)-1) + "\x00")
	g.verdict("deny 9")
	h.logged(`verdict=deny ` + alice +
		`method=none device="" reason=argument tries=0 ms=\d+ detail="unknown module ` +
		`argument .*"?`)
}

func TestFailedConversationIsDeniedAndNotCountedAsAGuess(t *testing.T) {
	for name, frame := range map[string]string{
		"of a question's type":             "Q123456",
		"of a verdict's type":              "V2 allow",
		"of the hello's type":              "H" + hello("alice"),
		"of garbage":                       "\xff\xff",
		"that is too long":                 "A" + strings.Repeat("1", 32768),
		"that is a failure":                "C19",
		"that is a failure without a code": "C",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, "")
			testroot.Unchanged(t, h.root.State("alice"))
			g := h.login()
			g.expect(prompt)
			g.send(frame)
			g.verdict("deny 19")
			h.logged(`verdict=deny ` + alice +
				`method=none device="" reason=conversation tries=0 ms=\d+.*`)
		})
	}
}

func TestAnswerCutByTheGateIsNotACode(t *testing.T) {
	h := newHost(t, "[limits]\ntries = 1\n")
	testroot.Unchanged(t, h.root.State("alice"))
	g := h.login()
	g.expect(prompt)
	g.send("A" + strings.Repeat(" ", 513-6) + h.code())
	g.verdict("deny 11")
}

func TestHostEndingAtAnyPointEndsTheLogin(t *testing.T) {
	const gone = `verdict=deny ` + alice +
		`method=none device="" reason=conversation tries=\d ms=\d+.*`
	cases := []struct {
		name, policy string
		talk         func(h *host, g *gate)
		logged       string // "": nothing is known yet that could be logged
	}{
		{"before the hello", "", func(h *host, g *gate) {}, ""},
		{"right after it", "", func(h *host, g *gate) { g.send("H" + hello("alice")) }, gone},
		{"while she is asked", "", func(h *host, g *gate) {
			g.send("H" + hello("alice"))
			g.expect(prompt)
		}, gone},
		{"after a wrong code", "", func(h *host, g *gate) {
			g.send("H" + hello("alice"))
			g.expect(prompt)
			g.send("A" + h.wrong())
			g.expect(wrongPrompt)
		}, gone},
		{"before a wrong code is judged", "", func(h *host, g *gate) {
			g.send("H" + hello("alice"))
			g.expect(prompt)
			g.send("A" + h.wrong())
		}, gone},
		{"while a group is asked for", "[[rule]]\ngroups = [\"g\"]\nrequire = \"none\"\n",
			func(h *host, g *gate) {
				g.send("H" + hello("alice"))
				g.expect("Gg")
			}, gone},
		{"while a text is shown", "[[rule]]\nrequire = \"deny\"\n", func(h *host, g *gate) {
			g.send("H" + hello("alice"))
			g.expect("EYou may not log in here.")
		}, `verdict=deny ` + alice +
			`method=none device="" reason=forbidden tries=0 ms=\d+ detail=".*"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t, c.policy)
			g := h.start(nil)
			c.talk(h, g)
			g.hangUp()
			g.end()
			if c.logged != "" {
				h.logged(c.logged)
			}
			h.silent()
			h.free()
		})
	}
}

func TestHostEndingEndsTheWaitForALock(t *testing.T) {
	h := newHost(t, "")
	account, err := h.root.Keyring().Open(record.User{Name: "alice", UID: uid})
	testroot.Must(t, err)
	g := h.login()
	g.hangUp()
	g.end()
	account.Close()
	h.logged(`verdict=deny ` + alice +
		`method=none device="" reason=conversation tries=0 ms=\d+ detail=".*the other side ` +
		`is gone"`)
	h.free()
}

func TestLoginIsDeniedInBoundedTimeIfALockIsHeldForever(t *testing.T) {
	h := newHost(t, "")
	account, err := h.root.Keyring().Open(record.User{Name: "alice", UID: uid})
	testroot.Must(t, err)
	defer account.Close()
	g := h.login()
	g.expect("EThe second factor cannot be checked.\nAsk your administrator to look into the log.")
	g.send("A")
	g.verdict("deny 9")
	h.logged(`verdict=deny ` + alice +
		`method=none device="" reason=state tries=0 ms=\d+ detail=".*locked by another process: ` +
		`process \d+ \(.*\)"`)
}

func TestGuessStaysChargedWhenTheHostEnds(t *testing.T) {
	h := newHost(t, "")
	g := h.login()
	g.expect(prompt)
	g.send("A" + h.wrong())
	g.expect(wrongPrompt)
	g.hangUp()
	g.end()
	st, err := h.root.Keyring().States.View("alice")
	testroot.Must(t, err)
	if len(st.Failures) != 1 {
		t.Errorf("%d failures", len(st.Failures))
	}
}

func TestWithoutASocketTheProgramEnds(t *testing.T) {
	h := newHost(t, "")
	g := h.start([]string{"sh", "-c", `"$0" </dev/null`})
	g.end()
	h.logged(internal + `".*"`)
	unix.Close(g.fd)
	g.fd = -1
}
