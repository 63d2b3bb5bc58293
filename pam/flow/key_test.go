package flow_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// withKey is a host on which alice has an app and a security key, and bob has another key.
func withKey(t *testing.T, policy string) (w *world, own, other record.Device) {
	t.Helper()
	w = newWorld(t, policy)
	own, other = testroot.SecurityKey(t, "yubikey"), testroot.SecurityKey(t, "bob's")
	w.root.Enroll(t, "alice", uid, w.phone, own)
	w.root.Enroll(t, "bob", uid+1, other)
	return w, own, other
}

// accepted is a login of alice's for which sshd has accepted public keys, a line each.
func accepted(lines ...string) flow.Request {
	r := request()
	r.BySSHD = true
	for _, line := range lines {
		r.AuthInfo += "publickey " + line + "\n"
	}
	return r
}

// byKey demands that a login was let in by a key, and that nothing was shown.
func (w *world) byKey(o verdict.Outcome, device string) {
	w.t.Helper()
	w.expect(o, true, verdict.OK, success, "")
	if o.Method != "key" || o.Device != device || o.Tries != 0 {
		w.t.Errorf("got %+v, want method key, device %q and no tries", o, device)
	}
}

// asked demands that a login was asked for a code as if there were no security keys.
func (w *world) asked(r flow.Request) {
	w.t.Helper()
	o := w.login(r, noMore)
	w.expect(o, false, verdict.NoAnswer, convErr, firstText)
}

func TestEnrolledKeyThatSSHDAcceptedIsEnough(t *testing.T) {
	w, own, _ := withKey(t, "")
	for name, r := range map[string]flow.Request{
		"alone":            accepted(testroot.Line(t, own)),
		"in a certificate": accepted(testroot.CertificateLine(t, own, 1)),
		"in a renewed one": accepted(testroot.CertificateLine(t, own, 2)),
		"with a plain key": accepted(testroot.PlainKey(t, "laptop"), testroot.Line(t, own)),
		"with an unknown key": accepted(testroot.Line(t, testroot.SecurityKey(t, "spare")),
			testroot.Line(t, own)),
		"and it is the first": accepted(testroot.Line(t, own),
			testroot.Line(t, testroot.SecurityKey(t, "spare"))),
	} {
		t.Log(name)
		w.byKey(w.login(r), "yubikey")
	}
}

func TestEveryOtherLoginIsAskedForACode(t *testing.T) {
	w, own, other := withKey(t, "")
	line := testroot.Line(t, own)
	_, blob, _ := strings.Cut(line, " ")
	elsewhere := func(service string) flow.Request {
		r := accepted(line)
		r.Service, r.BySSHD = service, false
		return r
	}
	for name, r := range map[string]flow.Request{
		"no key":                     request(),
		"a key that is not enrolled": accepted(testroot.Line(t, testroot.SecurityKey(t, "spare"))),
		"another user's key":         accepted(testroot.Line(t, other)),
		"a plain key":                accepted(testroot.PlainKey(t, "laptop")),
		"the key, as a plain one":    accepted("ssh-ed25519 " + blob),
		"the key, of another type":   accepted("sk-ecdsa-sha2-nistp256@openssh.com " + blob),
		"the key, as a certificate":  accepted("sk-ssh-ed25519-cert-v01@openssh.com " + blob),
		"the key, cut":               accepted(line[:len(line)-8]),
		"another's certificate":      accepted(testroot.CertificateLine(t, other, 1)),
		"su":                         elsewhere("su"), "sudo": elsewhere("sudo"),
		"login":           elsewhere("login"),
		"another service": elsewhere("other"), "no service": elsewhere(""),
		"a program that calls its service sshd": elsewhere("sshd"),
	} {
		t.Log(name)
		w.asked(r)
	}
	byHost := accepted()
	byHost.AuthInfo = "hostbased " + line + "\n"
	w.asked(byHost)
}

func TestRemovedKeyIsNoLongerEnough(t *testing.T) {
	w, own, _ := withKey(t, "")
	r := accepted(testroot.Line(t, own))
	w.byKey(w.login(r), "yubikey")
	w.root.Enroll(t, "alice", uid, w.phone)
	w.asked(r)
}

func TestRuleDecidesWhetherAKeyIsEnough(t *testing.T) {
	const elsewhere = "[[rule]]\nfrom = [\"10.0.0.0/8\"]\nrequire = \"code\"\nmethods = " +
		"[\"key\"]\n" +
		"[[rule]]\nrequire=\"code\"\nmethods=[\"totp\"]\n"
	for policy, enough := range map[string]bool{
		"":                               true,
		"[[rule]]\nrequire = \"code\"\n": true,
		"[[rule]]\nrequire = \"code\"\nmethods = [\"key\", " +
			"\"totp\"]\n": true,
		"[[rule]]\nrequire = \"code\"\nmethods = " +
			"[\"totp\"]\n": false,
		"[[rule]]\nusers = [\"bob\"]\nrequire = \"code\"\n" +
			"methods = [\"totp\"]\n": true,
		"[[rule]]\ngroups = [\"wheel\"]\nrequire = \"code\"\n" +
			"methods = [\"totp\"]\n": false,
		"[[rule]]\ngroups = [\"wheel\"]\nrequire = \"code\"\n" +
			"methods = [\"totp\", \"key\"]\n": true,
		"require_attestation = true\n":  false,
		"require_attestation = false\n": true,
		elsewhere:                       false,
	} {
		w, own, _ := withKey(t, policy)
		r := accepted(testroot.Line(t, own)) // of groups nothing is known: the stricter of both
		if t.Log(policy); enough {
			w.byKey(w.login(r), "yubikey")
		} else {
			w.asked(r)
		}
	}
	w, own, _ := withKey(t, "[[rule]]\nrequire = \"deny\"\n")
	w.expect(w.login(accepted(testroot.Line(t, own))), false, verdict.Forbidden, maxTries,
		"You may not log in here.")
}

func TestAttestedKeyIsEnoughWhereProofIsAskedFor(t *testing.T) {
	w, own, _ := withKey(t, "require_attestation = true\n")
	spare := testroot.SecurityKey(t, "spare")
	own.Attested = true
	w.root.Enroll(t, "alice", uid, w.phone, spare, own)
	w.byKey(w.login(accepted(testroot.Line(t, own))), "yubikey")
	w.asked(accepted(testroot.Line(t, spare)))
}

func TestLockedUserIsDeniedWithTheKeyToo(t *testing.T) {
	w, own, _ := withKey(t, "[limits]\nfailures = \"2/10m\"\n")
	r := accepted(testroot.Line(t, own))
	w.login(request(), w.wrongs(2)...)
	o := w.login(r)
	w.expect(o, false, verdict.Locked, maxTries, "Too many wrong codes. Try again in 15 minutes.")
	w.now = w.now.Add(15 * time.Minute)
	w.expect(w.login(r), true, verdict.OK, success,
		"2 wrong codes were refused since Sun 31 Jan 12:00, the last from 192.0.2.7.")
}

// Scripts log in by key all day: that must not make a guesser's wrong codes forgotten.
func TestLoginByKeyForgetsNoWrongCodes(t *testing.T) {
	w, own, _ := withKey(t, "[limits]\ntries = 1\nfailures = \"9/10m\"\nconsecutive = 4\n")
	r := accepted(testroot.Line(t, own))
	for _, code := range w.wrongs(4) {
		if o := w.login(r); !o.Allow {
			t.Errorf("got %+v before the limit, want to be let in", o)
		}
		w.login(request(), code)
	}
	if o := w.login(r); o.Reason != verdict.Locked || o.Allow {
		t.Errorf("got %+v after 4 wrong codes in a row, want a lock until root ends it", o)
	}
	if st := w.state(); len(st.Failures) != 4 || st.Refused.Count != 4 {
		t.Errorf("got %d failures, %d in a row, want 4 of each", len(st.Failures),
			st.Refused.Count)
	}
}

func TestLoginByKeyTellsOfTheWrongCodesBeforeItOnce(t *testing.T) {
	w, own, _ := withKey(t, "")
	r := accepted(testroot.Line(t, own))
	w.login(request(), w.wrongs(3)...)
	w.expect(w.login(r), true, verdict.OK, success,
		"3 wrong codes were refused since Sun 31 Jan 12:00, the last from 192.0.2.7.")
	w.byKey(w.login(r), "yubikey")
	w.login(request(), w.wrong(), noMore)
	w.expect(w.login(r), true, verdict.OK, success,
		"1 wrong code was refused since Sun 31 Jan 12:00 from 192.0.2.7.")
	w.login(request(), w.wrongs(2)[1], noMore)
	w.expect(w.login(request(), w.code()), true, verdict.OK, success,
		"1 wrong code was refused since Sun 31 Jan 12:00 from 192.0.2.7.")
	w.byKey(w.login(r), "yubikey")
}

func TestLoginByKeyIsTheKeysLastUse(t *testing.T) {
	w, own, _ := withKey(t, "")
	w.now = w.now.Add(time.Hour)
	w.byKey(w.login(accepted(testroot.Line(t, own))), "yubikey")
	if used := w.state().Device(own.ID).Used; !used.Equal(w.now.Truncate(time.Second)) {
		t.Errorf("got %v as the key's last use, want %v", used, w.now)
	}
	if used := w.state().Device(w.phone.ID).Used; !used.IsZero() {
		t.Errorf("got %v as the app's last use, want none", used)
	}
}

func TestKeyIsNotEnoughWhereTheStateCannotBeUsed(t *testing.T) {
	for name, damage := range map[string]func(w *world){
		"damaged": func(w *world) { testroot.Write(w.t, w.root.State("alice"), nil) },
		"without the key": func(w *world) {
			st := state.State{UID: uid, Devices: []state.Device{{ID: w.phone.ID}},
				Enrollment: w.state().Enrollment}
			testroot.Must(w.t, w.root.Keyring().States.Create("alice", st))
		},
	} {
		w, own, _ := withKey(t, "")
		damage(w)
		o := w.login(accepted(testroot.Line(t, own)))
		if o.Allow || o.Reason != verdict.State {
			t.Errorf("%s: got %+v, want a denial because of the state", name, o)
		}
	}
}

func TestUserWithNothingButAKeyIsToldToUseIt(t *testing.T) {
	w, own, _ := withKey(t, "")
	w.root.Enroll(t, "alice", uid, own)
	o := w.login(request())
	w.expect(o, false, verdict.Forbidden, maxTries,
		"Log in with your security key: nothing else is set up for this account.")
	w.detail(o, "sshd has accepted no security key of the user's")
	w.byKey(w.login(accepted(testroot.Line(t, own))), "yubikey")
}

// With SSH_AUTH_INFO_0 cut to what the gate passes on, what is whole still counts.
func TestLongListOfKeysIsReadToItsEnd(t *testing.T) {
	w, own, _ := withKey(t, "")
	var lines []string
	for i := range 60 {
		lines = append(lines, testroot.PlainKey(t, fmt.Sprint(i)))
	}
	w.byKey(w.login(accepted(append(lines, testroot.Line(t, own))...)), "yubikey")
}
