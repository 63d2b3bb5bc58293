package main

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/attestation"
	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/standin"
	"latchkey/sshd/softkey"
	"latchkey/sshd/terminal"
)

// softKey is a security key of software.
func softKey(t *testing.T) *softkey.Key {
	t.Helper()
	k, err := softkey.NewEd25519()
	testroot.Must(t, err)
	return k
}

// keysOf are a user's security keys: label, attested.
func (s *site) keysOf(u identity) (all []string) {
	s.t.Helper()
	rec, _, err := s.keyring().View(u.User)
	testroot.Must(s.t, err)
	for _, d := range rec.Devices {
		if d.Type == method.Key {
			all = append(all, fmt.Sprint(d.Label, " ", d.Attested))
		}
	}
	return all
}

// appCode is what the app that withApp gives shows now, or a wrong code.
func appCode(t *testing.T, right bool) string {
	t.Helper()
	d := record.Device{Algorithm: "SHA1", Digits: 6, Period: 30 * time.Second,
		Secret: []byte("12345678901234567890")}
	if !right {
		return absent(&d, oath.Step(&d, time.Now()))
	}
	code, err := oath.Code(&d, oath.Step(&d, time.Now()))
	testroot.Must(t, err)
	return code
}

func TestAUserAddsASecurityKeyWithPasswordAndCodeAndNotWithout(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	line := softKey(t).Line()
	refused := s.as(alice, "add", "key")
	talk(t, refused, "Password: ", password, "Verification code: ", appCode(t, false),
		"code not accepted")
	exits(t, refused, exitFailed)
	refused = s.as(alice, "add", "key", "--user", bob.Name)
	expect(t, refused, "only root may name another user")
	exits(t, refused, exitFailed)
	if got := s.keysOf(alice); len(got) > 0 {
		t.Errorf("got the keys %q after refused proofs, want none", got)
	}
	term := s.as(alice, "add", "key", "--label", "yubikey")
	talk(t, term, "Password: ", password, "Verification code: ", appCode(t, true),
		`Line of the public key \(it is in a file such as`, line+" alice@laptop",
		`Done: the security key "yubikey" is set up for `)
	exits(t, term, exitDone)
	if got := s.keysOf(alice); !slices.Equal(got, []string{"yubikey false"}) {
		t.Errorf("got the keys %q, want yubikey, not attested", got)
	}
}

// The key comes from standard input, the password and the code from the terminal.
func TestAUserGivesTheKeyOnStandardInputAndTypesTheProof(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.withApp(alice)
	put(t, s.root+"/key.pub", softKey(t).Line()+" alice@laptop\n", 0o644)
	id := fmt.Sprint(alice.UID)
	for _, right := range []bool{false, true} {
		term := started(t, 100, 24, []string{"setpriv", "--reuid", id, "--regid", id,
			"--clear-groups", "sh", "-c", s.exe + " add key <" + s.root + "/key.pub"})
		talk(t, term, "Password: ", password, "Verification code: ", appCode(t, right))
		if right {
			expect(t, term, `Done: the security key "key" is set up for `)
			exits(t, term, exitDone)
			continue
		}
		expect(t, term, "code not accepted")
		exits(t, term, exitFailed)
		if got := s.keysOf(alice); len(got) > 0 {
			t.Errorf("got the keys %q after a wrong code, want none", got)
		}
	}
}

// addKeyAfter starts `enroll add key` in a login about which sshd says something in a file.
func (s *site) addKeyAfter(u identity, path string) *terminal.Terminal {
	s.t.Helper()
	id := fmt.Sprint(u.UID)
	return started(s.t, 100, 24, []string{"setpriv", "--reuid", id, "--regid", id,
		"--clear-groups",
		"env", "SSH_USER_AUTH=" + path, s.exe, "add", "key"})
}

// sshd says in a file of the user's which keys a login was made with.
func TestAUserChoosesTheKeyOfTheLogin(t *testing.T) {
	s := newSite(t, standin.Options{})
	own, other := softKey(t), softKey(t)
	path := fmt.Sprintf("/tmp/sshauth.keytest%d", os.Getpid())
	put(t, path, "publickey "+testroot.PlainKey(t,
		"x")+"\npublickey "+own.Line()+"\npublickey "+other.Line()+"\n", 0o600)
	defer os.Remove(path)
	testroot.Must(t, os.Chown(path, int(alice.UID), -1))
	term := s.addKeyAfter(alice, path)
	talk(t, term, "Password: ", password,
		`1: sk-ssh-ed25519@openssh.com SHA256:.*\r\n`+
			`2: sk-ssh-ed25519@openssh.com SHA256:.*\r\nNumber of a key of this login`, "2",
		"Done: the security key")
	exits(t, term, exitDone)
	rec, _, err := s.keyring().View(alice.User)
	testroot.Must(t, err)
	if key, err := rec.Devices[0].SSHKey(); err != nil || key.String() != other.Line() {
		t.Errorf("got %s, %v, want the second key, %s", key, err, other.Line())
	}
}

// A file that is not the user's own is not read: enroll has the rights of its caller there.
func TestAFileOfAnotherUsersIsNotOfferedAsTheLogin(t *testing.T) {
	s := newSite(t, standin.Options{})
	path := fmt.Sprintf("/tmp/sshauth.keytestroot%d", os.Getpid())
	put(t, path, "publickey "+softKey(t).Line()+"\n", 0o600)
	defer os.Remove(path)
	term := s.addKeyAfter(alice, path)
	talk(t, term, "Password: ", password, `Line of the public key`)
	if strings.Contains(term.Seen(), "SHA256") {
		t.Errorf("got a key out of a file of root's: %q", term.Seen())
	}
	term.Close()
}

func TestAUserWithNothingButSecurityKeysIsToldThatRootCanHelp(t *testing.T) {
	s := newSite(t, standin.Options{})
	put(t, s.root+"/key.pub", softKey(t).Line()+"\n", 0o644)
	s.asRoot("--user", alice.Name, "add", "key", "--file", s.root+"/key.pub", "--yes")
	term := s.as(alice, "codes")
	talk(t, term, "Password: ", password,
		`a security key gives no codes, and there is nothing else; nothing was changed`)
	exits(t, term, exitFailed)
}

func TestAKeyIsSavedAsAttestedOnlyWithItsMakersProof(t *testing.T) {
	s := newSite(t, standin.Options{})
	s.policy("require_attestation = true\n")
	maker, err := softkey.NewMaker(time.Now(), nil)
	testroot.Must(t, err)
	stranger, err := softkey.NewMaker(time.Now(), nil)
	testroot.Must(t, err)
	own, other := softKey(t), softKey(t)
	challenge := []byte("from the office")
	for name, m := range map[string]*softkey.Maker{"good": maker, "strange": stranger} {
		text, err := m.Attest(own, challenge)
		testroot.Must(t, err)
		put(t, s.root+"/"+name, string(text), 0o644)
	}
	put(t, s.root+"/challenge", string(challenge), 0o644)
	put(t, s.root+"/own.pub", own.Line()+"\n", 0o644)
	put(t, s.root+"/other.pub", other.Line()+"\n", 0o644)
	add := func(key, proof string) (string, error) {
		out, err := exec.Command(s.exe, "add", "key", "--user", alice.Name, "--file",
			s.root+"/"+key, "--yes",
			"--attestation", s.root+"/"+proof, "--challenge", s.root+"/challenge").CombinedOutput()
		return string(out), err
	}
	if out, err := add("own.pub", "good"); err == nil ||
		!strings.Contains(out, "no maker's certificate is in") {
		t.Errorf("before root believes any maker: got %v, %s", err, out)
	}
	testroot.Must(t, os.MkdirAll(s.root+attestation.Dir, 0o755))
	put(t, s.root+attestation.Dir+"/example.pem", string(maker.Root), 0o644)
	for _, c := range []struct{ key, proof, says string }{
		{"other.pub", "good", "the attestation is of another key"},
		{"own.pub", "strange", "the attestation is of no maker in"},
		{"own.pub", "own.pub", "not an attestation"},
		{"own.pub", "missing", "no such file"},
	} {
		if out, err := add(c.key, c.proof); err == nil || !strings.Contains(out, c.says) {
			t.Errorf("%s with %s: got %v, %s, want an error that says %q", c.key, c.proof, err,
				out, c.says)
		}
	}
	if out, err := add("own.pub", "good"); err != nil ||
		!strings.Contains(out, "attested by its maker") {
		t.Fatalf("with the maker's proof: got %v, %s", err, out)
	}
	if got := s.keysOf(alice); !slices.Equal(got, []string{"key true"}) {
		t.Errorf("got the keys %q, want one, attested", got)
	}
	if out := s.asRoot("status", "--user", alice.Name); !strings.Contains(out, ", attested") {
		t.Errorf("got the status %q, want that the key is attested", out)
	}
}
