package main_test

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/pam/testroot"
)

const alice = `user="alice" service="sshd" from="192.0.2.7" `

func TestARightCodeIsAllowedOnce(t *testing.T) {
	h := newHost(t, "")
	code := h.code()
	g := h.login()
	g.expect(prompt)
	g.send("A" + code)
	g.verdict("allow")
	h.logged(`verdict=allow ` + alice + `method=totp device="phone" reason=ok tries=1 ms=\d+`)
	g = h.login()
	g.expect(prompt)
	g.send("A" + code)
	g.expect("QUsed before: wait for the next code. Verification code: ")
	g.send("C19")
	g.verdict("deny 19")
	h.logged(`verdict=deny ` + alice +
		`method=totp device="phone" reason=conversation tries=1 ms=\d+`)
	h.silent()
	h.free()
}

func TestThreeWrongCodesAreADenial(t *testing.T) {
	h := newHost(t, "")
	g := h.login()
	g.expect(prompt)
	wrong := testroot.WrongCodes(t, 3, time.Now(), h.phone)
	for _, code := range wrong[:2] {
		g.send("A" + code)
		g.expect(wrongPrompt)
	}
	g.send("A" + wrong[2])
	g.expect("EWhat may help:\n" +
		"App: set your phone's clock to the network's time. Codes depend on it.")
	g.send("A")
	g.verdict("deny 11")
	h.logged(`verdict=deny ` + alice + `method=none device="" reason=wrong tries=3 ms=\d+`)
}

func TestEveryKindOfDenialReachesTheGate(t *testing.T) {
	cases := []struct {
		name, policy, args string
		frames             []string // what the gate receives before the verdict and answers with A
		verdict, logged    string
	}{
		{"an unknown argument", "", "nullok", nil, "deny 9",
			`reason=argument tries=0 ms=\d+ detail="unknown module argument \\x22nullok\\x22"`},
		{"a policy with an unknown key", "tris = 3\n", "debug",
			[]string{"EThe second factor cannot be checked.\nAsk your administrator to look " +
				"into the log."},
			"deny 9", `reason=config tries=0 ms=\d+ detail="/etc/latchkey/latchkey.toml:1: .*"`},
		{"a rule that denies", "[[rule]]\nrequire = \"deny\"\n", "",
			[]string{"EYou may not log in here."},
			"deny 11", `reason=forbidden tries=0 ms=\d+ detail="rule 1, line 1, requires deny: ` +
				`no conditions"`},
		{"a rule that exempts", "[[rule]]\nrequire = \"none\"\n", "", nil, "allow",
			`reason=exempt tries=0 ms=\d+`},
		{"a group that cannot be told",
			"[[rule]]\ngroups = [\"wheel\"]\nrequire = \"deny\"\n[[rule]]\nrequire = \"none\"\n",
			"",
			[]string{"Gwheel", "EYou may not log in here."}, "deny 11",
			`reason=forbidden tries=0 ms=\d+ detail="rule 1, line 1, requires deny: ` +
				`unknown group \\x22wheel\\x22; cannot be checked: rule 1, line 1, group ` +
				`\\x22wheel\\x22: the gate answered neither yes nor no"`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t, c.policy)
			var args []string
			if c.args != "" {
				args = []string{c.args}
			}
			g := h.login(args...)
			for _, frame := range c.frames {
				g.expect(frame)
				g.send("A")
			}
			g.verdict(c.verdict)
			word := strings.Fields(c.verdict)[0]
			h.logged(`verdict=` + word + ` ` + alice + `method=none device="" ` + c.logged)
			h.silent()
		})
	}
}

// FAULTS 35: only "yes" and "no" are answers.
func TestTheGateAnswersAboutGroups(t *testing.T) {
	const neither = "the gate answered neither yes nor no"
	for answer, want := range map[string]string{
		"Ayes": "allow", "Ano": "deny", "C3 no such group": "no such group",
		"C9":  "the name service cannot tell",
		"C3 ": "the name service cannot tell", "A": neither, "Ayes ": neither, "AYES": neither,
		"Ano such group": neither, "Q": neither,
	} {
		h := newHost(t,
			"[[rule]]\ngroups = [\"@unix\"]\nrequire = \"none\"\n[[rule]]\nrequire = \"deny\"\n")
		g := h.login()
		g.expect("G@unix")
		g.send(answer)
		if want == "allow" {
			g.verdict(want)
			h.logged(`verdict=allow ` + alice +
				`method=none device="" reason=exempt tries=0 ms=\d+`)
			continue
		}
		g.expect("EYou may not log in here.")
		g.send("A")
		g.verdict("deny 11")
		detail := "rule 2, line 4, requires deny: no conditions"
		if want != "deny" {
			detail += `; cannot be checked: rule 1, line 1, group \\x22@unix\\x22: ` + want
		}
		h.logged(`verdict=deny ` + alice +
			`method=none device="" reason=forbidden tries=0 ms=\d+ detail="` + detail + `"`)
	}
}

func TestUnenrolledUserIsDeniedAndNoFileIsMade(t *testing.T) {
	h := newHost(t, "")
	g := h.start(nil)
	g.send("H" + strings.Replace(hello("bob"), "uid=1000", "uid=1001", 1))
	g.expect("ENo second factor is set up for this account. Ask your administrator.")
	g.send("A")
	g.verdict("deny 11")
	h.logged(`verdict=deny user="bob" service="sshd" from="192.0.2.7" method=none device="" ` +
		`reason=unenrolled tries=0 ms=\d+`)
	for _, path := range []string{h.root.Record("bob"), h.root.State("bob")} {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("%s was made", path)
		}
	}
}

func TestFailingNameServiceIsNotAnUnknownUser(t *testing.T) {
	h := newHost(t, `unenrolled = "allow"`)
	for uid, want := range map[string]struct{ verdict, reason string }{
		"none":  {"deny 10", "name"},
		"error": {"deny 4", "internal"},
	} {
		g := h.start(nil)
		g.send("H2\x00user=x\x00name=\x00uid=" + uid + "\x00service=\x00rhost=\x00auth_info=\x00")
		g.verdict(want.verdict)
		h.logged(`verdict=deny user="x" service="" from="" method=none device="" reason=` +
			want.reason + ` tries=0 ms=\d+ detail=".*"`)
	}
}

func TestAnswerToIfPublickeyIsNotLogged(t *testing.T) {
	h := newHost(t, "")
	for info, verdict := range map[string]string{
		"":                             "deny 7",
		"publickey ssh-ed25519 AAAA\n": "allow",
	} {
		g := h.start(nil)
		g.send("H" + strings.Replace(hello("alice", "if_publickey"), "auth_info=",
			"auth_info="+info, 1))
		g.verdict(verdict)
	}
	h.silent()
}

func TestValuesFromOutsideStayOnOneLine(t *testing.T) {
	h := newHost(t, "")
	g := h.start(nil)
	evil := "a\nlatchkey: verdict=allow\" \x1b[2J\xff"
	g.send("H2\x00user=" + evil + "\x00name=" + evil + "\x00uid=0\x00service=" + evil +
		"\x00rhost=" + evil + "\x00auth_info=\x00")
	g.verdict("deny 10")
	const shown = `"a\\x0alatchkey: verdict=allow\\x22 \\x1b\[2J\\xff"`
	h.logged(`verdict=deny user=` + shown + ` service=` + shown + ` from=` + shown +
		` method=none device="" reason=name tries=0 ms=\d+ detail=".*"`)
}

func TestNothingTypedIsEverLogged(t *testing.T) {
	h := newHost(t, "")
	g := h.login("debug")
	for _, typed := range []string{"hunter2 the password", h.wrong(), h.code()} {
		frame, err := g.receive()
		testroot.Must(t, err)
		if !strings.HasPrefix(frame, "Q") {
			t.Fatalf("received %q", frame)
		}
		g.send("A" + typed)
	}
	g.verdict("allow")
	text := h.line() + h.line()
	for _, secret := range []string{"hunter2", h.wrong(), h.code(), string(h.phone.Secret)} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q: %s", secret, text)
		}
	}
	h.silent()
}

// FAULTS 38.
func TestPasswordTypedAsACodeIsNotCountedAsAGuess(t *testing.T) {
	h := newHost(t, "")
	before := testroot.Read(t, h.root.State("alice"))
	g := h.login()
	g.expect(prompt)
	for range 3 {
		g.send("P")
		g.expect("QThat is not a code. From your app. Verification code: ")
	}
	if !bytes.Equal(testroot.Read(t, h.root.State("alice")), before) {
		t.Error("a guess was charged")
	}
	g.send("A" + h.code())
	g.verdict("allow")
}
