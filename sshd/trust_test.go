package sshd_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"latchkey/sshd/suite"
)

const trustPrompt = "Trust this computer for 30 days? [y/N] "

// plainKey gives a key pair that is kept in a file.
func plainKey(t *testing.T) (key ssh.Signer, line string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	key, err = ssh.NewSignerFromKey(private)
	must(t, err)
	return key, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key.PublicKey())))
}

// trustServer gives a server of its own that asks for a key and a code, or for password and code,
// and the name of its policy.
func trustServer(
	t *testing.T, h *suite.Host, name, toml string, options []string,
) (s *suite.Server, conf string) {
	t.Helper()
	conf = "/etc/latchkey/" + name + ".toml"
	setTrust(t, h, conf, toml)
	stack := suite.Stack{"required pam_latchkey.so conf=" + conf}
	if options == nil {
		stack = append(suite.Stack{suite.Unix[0]}, stack...)
	}
	return ownServer(t, h, suite.Config{Name: name, Stack: stack, Options: options}), conf
}

func setTrust(t *testing.T, h *suite.Host, conf, toml string) {
	t.Helper()
	_, err := h.Exec("[limits]\nfailures = \"3/10m\"\n"+toml, "/usr/bin/install", "-m", "644", "/dev/stdin", conf)
	must(t, err)
}

// trusts logs in by a code and answers yes.
func trusts(t *testing.T, s *suite.Server, u *suite.User, a suite.Attempt) {
	t.Helper()
	a.User = u.Name
	code := u.Code()
	a.Answer = func(prompt string) (string, error) {
		if strings.HasSuffix(prompt, trustPrompt) {
			return "y", nil
		}
		return code, nil
	}
	o := allowed(t, s, a)
	if n := len(o.Prompts); n == 0 || !strings.HasSuffix(o.Prompts[n-1], trustPrompt) {
		t.Fatalf("got the prompts %q, want the question about trust as the last", o.Prompts)
	}
}

// trusted is a login that must be let in without a code.
func trusted(t *testing.T, s *suite.Server, a suite.Attempt) {
	t.Helper()
	if o := allowed(t, s, a); o.CodePrompts() > 0 {
		t.Fatalf("got the prompts %q, want none for a code", o.Prompts)
	}
}

// untrusted is a login that must be asked for a code, and is not let in without one.
func untrusted(t *testing.T, s *suite.Server, what string, a suite.Attempt) {
	t.Helper()
	if o := hungUp(t, s, a); o.CodePrompts() != 1 {
		t.Fatalf("%s: got the prompts %q, want one for a code", what, o.Prompts)
	}
}

const trustByKey = "[trust]\ndays = 30\n"

func TestKeyThatAUserTrustsNeedsNoCodeAndNothingElseDoes(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, conf := trustServer(t, h, "trust-key", trustByKey, keyOptions[:3])
		u, bob := enrolled(t, h), enrolled(t, h)
		key, line := plainKey(t)
		other, otherLine := plainKey(t)
		authorize(t, h, u, line, otherLine)
		authorize(t, h, bob, line)
		home := suite.Attempt{User: u.Name, Key: key}

		untrusted(t, s, "before", home)
		trusts(t, s, u, home)
		audited(t, h, u.Name, 2, "verdict=allow", "method=totp", "reason=ok", `detail="the computer is trusted for 30 days"`)
		trusted(t, s, home)
		fingerprint := ssh.FingerprintSHA256(key.PublicKey())
		audited(t, h, u.Name, 3, "verdict=allow", "method=trust", "reason=ok", "tries=0", fmt.Sprintf("device=%q", fingerprint[:len("SHA256:")+21]))

		untrusted(t, s, "another key", suite.Attempt{User: u.Name, Key: other})
		untrusted(t, s, "another user", suite.Attempt{User: bob.Name, Key: key})
		setTrust(t, h, conf, "")
		untrusted(t, s, "switched off", home)
		setTrust(t, h, conf, trustByKey+"[[rule]]\nrequire = \"code\"\nmethods = [\"totp\"]\n")
		untrusted(t, s, "another rule", home)
		setTrust(t, h, conf, trustByKey+"[[rule]]\nrequire = \"code\"\ntrust_days = 0\n")
		untrusted(t, s, "a rule without trust", home)
		setTrust(t, h, conf, trustByKey+"[[rule]]\nrequire = \"deny\"\n")
		denied(t, s, home)
		setTrust(t, h, conf, trustByKey)
		trusted(t, s, home)

		if got := script(t, h, "enroll trust --user "+u.Name); !strings.Contains(got, fingerprint[:20]) {
			t.Errorf("enroll trust says %q, want %s", got, fingerprint)
		}
		script(t, h, "enroll trust revoke all --user "+u.Name)
		untrusted(t, s, "revoked", home)
	})
}

func TestAddressThatAUserTrustsNeedsNoCodeButThePassword(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, _ := trustServer(t, h, "trust-address", trustByKey+"bind = [\"address\"]\n", nil)
		u, bob := enrolled(t, h), enrolled(t, h)
		home := suite.Attempt{User: u.Name, Password: suite.Password, From: "127.0.0.2"}
		trusts(t, s, u, home)
		trusted(t, s, home)
		audited(t, h, u.Name, 2, "verdict=allow", "method=trust", `device="127.0.0.2"`, `from="127.0.0.2"`)
		wrong := home
		wrong.Password = "wrong"
		denied(t, s, wrong)
		elsewhere := home
		elsewhere.From = "127.0.0.3"
		untrusted(t, s, "another address", elsewhere)
		untrusted(t, s, "another user", suite.Attempt{User: bob.Name, Password: suite.Password, From: "127.0.0.2"})
		trusted(t, s, home)
	})
}
