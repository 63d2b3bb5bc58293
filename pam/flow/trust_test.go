package flow_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
	"latchkey/pam/trust"
)

const (
	trustQuestion = "Trust this computer for 30 days? [y/N] "
	trustKey      = "[trust]\ndays = 30\n"
	trustAddress  = trustKey + "bind = ['address']\n"
	trustBoth     = trustKey + "bind = ['key', 'address']\n"
)

// byKey is a login of alice's in which sshd has accepted the keys with these numbers.
func byKey(from string, keys ...byte) flow.Request {
	r := request()
	r.From, r.BySSHD = from, true
	for _, n := range keys {
		var blob []byte
		for _, part := range []string{"ssh-ed25519", strings.Repeat(string(rune(n)), 32)} {
			blob = binary.BigEndian.AppendUint32(blob, uint32(len(part)))
			blob = append(blob, part...)
		}
		r.AuthInfo += "publickey ssh-ed25519 " + base64.StdEncoding.EncodeToString(blob) + "\n"
	}
	return r
}

// inOneField is a login whose first answer is the code of a line with split.
func inOneField(r flow.Request) flow.Request {
	r.Kept = true
	return r
}

// home is alice's usual computer.
func home() flow.Request { return byKey("192.0.2.7", 1) }

// trusts demands that a login asks whether to trust the computer, and answers y.
func (w *world) trusts(r flow.Request) {
	w.t.Helper()
	w.expect(w.login(r, w.code(), "y"), true, verdict.OK, success, trustQuestion)
	w.now = w.now.Add(30 * time.Second) // for another code
}

// trusted demands that a login needs no code.
func (w *world) trusted(r flow.Request) {
	w.t.Helper()
	o := w.login(r)
	if !o.Allow || o.Reason != verdict.OK || o.Method != "trust" || len(w.shown) > 0 ||
		o.PAM() != success {
		w.t.Errorf("got %+v, and the user saw %q; want a trusted login", o, w.shown)
	}
}

// asksForCode demands that a login asks for a code, and is denied without one.
func (w *world) asksForCode(r flow.Request) {
	w.t.Helper()
	w.expect(w.login(r, noMore), false, verdict.NoAnswer, convErr, firstText)
}

func TestComputerThatIsTrustedNeedsNoCodeUntilItsDaysAreOver(t *testing.T) {
	for name, policy := range map[string]string{"by key": trustKey, "by address": trustAddress,
		"by both": trustBoth} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, policy)
			w.asksForCode(home())
			w.trusts(home())
			given := w.state().Trusts[0].Since
			w.trusted(home())
			w.trusted(home()) // without a prompt, so the clock and not a question ends it
			w.now = given.Add(30*24*time.Hour - time.Second)
			w.trusted(home())
			w.now = given.Add(30 * 24 * time.Hour)
			w.asksForCode(home())
			w.trusts(home()) // and it is asked about again
			w.trusted(home())
		})
	}
}

func TestComputerIsRecognizedByAllThatThePolicyBindsItToAndByNothingElse(t *testing.T) {
	cases := []struct {
		name, policy   string
		first, another flow.Request
		recognized     bool
	}{
		{"by key: from elsewhere", trustKey, home(), byKey("198.51.100.1", 1), true},
		{"by key: from a name", trustKey, home(), byKey("host.example", 1), true},
		{"by key: another key", trustKey, home(), byKey("192.0.2.7", 2), false},
		{"by key: no key", trustKey, home(), byKey("192.0.2.7"), false},
		{"by key: beside another", trustKey, home(), byKey("192.0.2.7", 2, 1), true},
		{"by key: only the second of two", trustKey, byKey("192.0.2.7", 1, 2),
			byKey("192.0.2.7", 2), false},
		{"by address: another key", trustAddress, home(), byKey("192.0.2.7", 2), true},
		{"by address: no key", trustAddress, home(), byKey("192.0.2.7"), true},
		{"by address: another", trustAddress, home(), byKey("192.0.2.8", 1), false},
		{"by address: a name", trustAddress, home(), byKey("host.example", 1), false},
		{"by address: none", trustAddress, home(), byKey("", 1), false},
		{"by address: mapped into IPv6", trustAddress, home(), byKey("::ffff:192.0.2.7"), true},
		{"by address: not mapped", trustAddress, byKey("::ffff:192.0.2.7"), home(), true},
		{"by address: the same network of IPv6", trustAddress, byKey("2001:db8:1:2::3"),
			byKey("2001:db8:1:2:ffff::1"), true},
		{"by address: another network of IPv6", trustAddress, byKey("2001:db8:1:2::3"),
			byKey("2001:db8:1:3::3"), false},
		{"by address: another behind a translator", trustAddress, byKey("64:ff9b::192.0.2.7"),
			byKey("64:ff9b::192.0.2.8"), false},
		{"by address: this host in IPv6", trustAddress, byKey("::1"), byKey("::1"), true},
		{"by address: another form of this host", trustAddress, byKey("::1"), byKey("127.0.0.1"),
			false},
		{"by both", trustBoth, home(), home(), true},
		{"by both: another key", trustBoth, home(), byKey("192.0.2.7", 2), false},
		{"by both: another address", trustBoth, home(), byKey("192.0.2.8", 1), false},
		{"by both: no key", trustBoth, home(), byKey("192.0.2.7"), false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.policy)
			w.trusts(c.first)
			if c.recognized {
				w.trusted(c.another)
			} else {
				w.asksForCode(c.another)
			}
			w.trusted(c.first)
		})
	}
}

// The caller of su controls the PAM environment, and with UseDNS the client's DNS controls the
// address.
func TestTrustIsNotOfferedWhereTheComputerCannotBeRecognized(t *testing.T) {
	of := func(service string, r flow.Request) flow.Request {
		r.Service, r.BySSHD = service, false
		return r
	}
	cases := []struct {
		name, policy string
		r            flow.Request
		offered      bool
	}{
		{"trust is off", "", home(), false},
		{"trust is off, and bound", "[trust]\nbind = ['address']\n", home(), false},
		{"by key, with one", trustKey, home(), true},
		{"by key, without one", trustKey, byKey("192.0.2.7"), false},
		{"by key, of su's caller", trustKey, of("su", home()), false},
		{"by key, of sudo's caller", trustKey, of("sudo", home()), false},
		{"by key, of what calls itself sshd", trustKey, of("sshd", home()), false},
		{"by key, of any other service", trustKey, of("other", home()), false},
		{"by address", trustAddress, byKey("192.0.2.7"), true},
		{"by address, of a program with one field", trustAddress, inOneField(byKey("192.0.2.7")),
			false},
		{"by address, a name", trustAddress, byKey("host.example"), false},
		{"by address, none", trustAddress, byKey(""), false},
		{"by address, unspecified", trustAddress, byKey("::"), false},
		{"by address, of a link", trustAddress, byKey("fe80::1%eth0"), false},
		{"by address, of a group", trustAddress, byKey("224.0.0.1"), false},
		{"by both", trustBoth, home(), true},
		{"by both, without a key", trustBoth, byKey("192.0.2.7"), false},
		{"by both, from a name", trustBoth, byKey("host.example", 1), false},
		{"the rule says 0", trustKey +
			"[[rule]]\nusers = ['alice']\nrequire = 'code'\ntrust_days = 0\n", home(), false},
		{"the rule of others says 0", trustKey +
			"[[rule]]\nusers = ['bob']\nrequire = 'code'\ntrust_days = 0\n", home(), true},
		{"only the rule says 30", "[[rule]]\nrequire = 'code'\ntrust_days = 30\n", home(), true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.policy)
			if c.offered {
				w.trusts(c.r)
				w.trusted(c.r)
				return
			}
			w.expect(w.login(c.r, w.code()), true, verdict.OK, success, firstText)
			w.asksForCode(c.r)
			if got := w.state().Trusts; len(got) > 0 {
				t.Errorf("got %+v; want no trust", got)
			}
		})
	}
}

func TestOnlyYesIsTrust(t *testing.T) {
	for answer, yes := range map[string]bool{
		"y": true, "Y": true, "yes": true, " YES ": true, "n": false, "no": false, "": false,
		"yy":     false,
		"123456": false, "y\x00": false, "ja": false, "yes please": false,
		passwordAgain: false, noMore: false, "\b\n\r\177INCORRECT": false,
	} {
		t.Run(fmt.Sprintf("%q", answer), func(t *testing.T) {
			w := newWorld(t, trustKey)
			o := w.login(home(), w.code(), answer)
			w.expect(o, true, verdict.OK, success, trustQuestion)
			if o.Method != "totp" || o.Tries != 1 || w.failures() != 0 {
				t.Errorf("got %+v and %d failures; want what the code came to", o, w.failures())
			}
			if yes {
				w.detail(o, "the computer is trusted for 30 days")
				w.trusted(home())
			} else {
				w.asksForCode(home())
			}
		})
	}
}

// A conversation that ends at the question gets in once, by its code, and no second time.
func TestEndOfTheConversationAtTheQuestionIsNeitherABypassNorALockout(t *testing.T) {
	w := newWorld(t, trustKey)
	code := w.code()
	o := w.login(home(), code, noMore)
	w.expect(o, true, verdict.OK, success, trustQuestion)
	w.detail(o, "trust: no answer from the user")
	w.expect(w.login(home(), code, noMore), false, verdict.NoAnswer, convErr, replayText)
	w.now = w.now.Add(30 * time.Second)
	w.trusts(home())
}

func TestCodesThatStandInForADeviceLeadToNoTrust(t *testing.T) {
	t.Run("recovery", func(t *testing.T) {
		w := newWorld(t, trustKey)
		codes, r, err := enrollment.NewRecovery()
		testroot.Must(t, err)
		testroot.Must(t, w.root.Store().SetRecovery(enrollment.ByRoot(),
			record.User{Name: "alice", UID: uid}, r))
		o := w.login(home(), codes[0])
		w.expect(o, true, verdict.OK, success,
			"That recovery code is used up; 9 recovery codes are left.\n"+
				"For new ones run: enroll codes")
	})
	t.Run("bypass", func(t *testing.T) {
		w := newWorld(t, trustKey)
		code, c, err := enrollment.NewOneTimeCode(w.now.Add(time.Hour))
		testroot.Must(t, err)
		testroot.Must(t, w.root.Store().SetBypass(enrollment.ByRoot(),
			record.User{Name: "alice", UID: uid}, c))
		w.expect(w.login(home(), code), true, verdict.OK, success, firstText)
	})
	t.Run("a code by phone is of a device", func(t *testing.T) {
		w := newPhoneWorld(t, trustKey)
		w.expect(w.login(home(), "sms", sentCode, "y"), true, verdict.OK, success, trustQuestion)
		w.trusted(home())
	})
}

// On a host with very many users a right code must not end at the gate's deadline.
func TestTrustIsNotOfferedWhereCountingWhoElseTrustsTheAddressTakesTooLong(t *testing.T) {
	w := newWorld(t, trustAddress)
	w.root.Enroll(t, "bob", uid+1, testroot.TOTP("bob's"))
	alice := record.User{Name: "alice", UID: uid}
	c := trust.Computer{Trust: policy.Trust{Days: 30, Bind: []policy.Bind{policy.BindAddress}},
		From: netip.MustParseAddr("192.0.2.7")}
	if trust.Crowded(w.root.Keyring(), alice, c, w.now, time.Minute) {
		t.Error("got an address that is crowded by no one: this proves nothing")
	}
	if !trust.Crowded(w.root.Keyring(), alice, c, w.now, 0) {
		t.Error("counting took longer than it may, and trust is offered")
	}
}
