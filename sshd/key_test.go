package sshd_test

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"latchkey/sshd/softkey"
	"latchkey/sshd/suite"
	"latchkey/sshd/suite/wire"
	"latchkey/sshd/terminal"
)

// keyOptions have sshd ask for a key that the user's own file lists, and then for the code.
var keyOptions = []string{
	"PubkeyAuthentication yes", "AuthenticationMethods publickey,keyboard-interactive",
	"AuthorizedKeysFile /home/%u/.ssh/authorized_keys", "TrustedUserCAKeys /suite/user_ca.pub",
}

// keyServer gives a server that only this test uses, with more options before keyOptions.
func keyServer(t *testing.T, h *suite.Host, name string, options ...string) *suite.Server {
	t.Helper()
	_, err := h.Exec("", "/usr/bin/touch", "/suite/user_ca.pub")
	must(t, err)
	return ownServer(t, h, suite.Config{
		Name: name, Stack: suite.OnlyCode, Options: append(options, keyOptions...),
	})
}

// newSoftKey gives a security key of software.
func newSoftKey(t *testing.T) *softkey.Key {
	t.Helper()
	k, err := softkey.NewEd25519()
	must(t, err)
	return k
}

// authorize writes a user's authorized_keys.
func authorize(t *testing.T, h *suite.Host, u *suite.User, lines ...string) {
	t.Helper()
	script(t, h, fmt.Sprintf("mkdir -p /home/%[1]s/.ssh\n"+
		"cat >/home/%[1]s/.ssh/authorized_keys <<'END'\n%[2]s\nEND\n"+
		"chown -R %[1]s:%[1]s /home/%[1]s/.ssh", u.Name, strings.Join(lines, "\n")))
}

// enrollKey gives a user a security key, as an administrator's script does.
func enrollKey(t *testing.T, h *suite.Host, u *suite.User, label, line string) {
	t.Helper()
	_, err := h.Exec(line+"\n", "/usr/bin/enroll", "add", "key", "--user", u.Name, "--label",
		label, "--yes")
	must(t, err)
}

// byKey is an attempt that must be let in by a key, with nothing asked.
func byKey(t *testing.T, s *suite.Server, a suite.Attempt, n int, device string) {
	t.Helper()
	if o := allowed(t, s, a); len(o.Prompts) > 0 {
		t.Errorf("got the prompts %q, want none", o.Prompts)
	}
	audited(t, s.Host, a.User, n, "verdict=allow", "method=key",
		fmt.Sprintf("device=%q", device), "reason=ok", "tries=0")
}

// authority gives a certificate authority that the host believes.
func authority(t *testing.T, h *suite.Host) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	ca, err := ssh.NewSignerFromKey(private)
	must(t, err)
	_, err = h.Exec(string(ssh.MarshalAuthorizedKey(ca.PublicKey())), "/usr/bin/tee", "-a",
		"/suite/user_ca.pub")
	must(t, err)
	return ca
}

func TestAnEnrolledSecurityKeyIsEnoughAndEveryOtherLoginIsAskedForTheCode(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := keyServer(t, h, "securitykey",
			"PubkeyAcceptedAlgorithms +webauthn-sk-ecdsa-sha2-nistp256@openssh.com")
		u, bob, ca := enrolled(t, h), enrolled(t, h), authority(t, h)
		own, bobs, spare := newSoftKey(t), newSoftKey(t), newSoftKey(t)
		nist, err := softkey.NewECDSA()
		must(t, err)
		browser := *nist
		browser.Browser = "https://example.com"
		authorize(t, h, u, own.Line(), nist.Line(), bobs.Line(), spare.Line(),
			strings.TrimSpace(string(ssh.MarshalAuthorizedKey(shared.Key.PublicKey()))))
		enrollKey(t, h, u, "yubikey", own.Line())
		enrollKey(t, h, u, "old key", nist.Line())
		enrollKey(t, h, bob, "yubikey", bobs.Line())
		certified := func(k *softkey.Key, serial uint64) ssh.Signer {
			c, err := k.Certified(ca, u.Name, serial)
			must(t, err)
			return c
		}
		n := 0
		for _, c := range []struct {
			what   string
			key    ssh.Signer
			device string
		}{
			{"ed25519", own, "yubikey"}, {"ECDSA", nist, "old key"},
			{"a browser's signature", &browser, "old key"},
			{"a certificate", certified(own, 1), "yubikey"},
			{"a renewed certificate", certified(own, 2), "yubikey"},
			{"a certificate of ECDSA", certified(nist, 3), "old key"},
		} {
			t.Log(c.what)
			n++
			byKey(t, s, suite.Attempt{User: u.Name, Key: c.key}, n, c.device)
		}
		for what, key := range map[string]ssh.Signer{
			"a key that is not enrolled": spare, "another user's": bobs, "a plain key": shared.Key,
			"a certificate of a key that is not enrolled": certified(spare, 4),
		} {
			t.Log(what)
			n++
			o := denied(t, s, suite.Attempt{User: u.Name, Key: key, Codes: u.WrongCodes()})
			if o.CodePrompts() != 3 {
				t.Errorf("%s: got the prompts %q, want three for a code", what, o.Prompts)
			}
			audited(t, h, u.Name, n, "verdict=deny", "reason=wrong")
			script(t, h, "enroll unlock "+u.Name)
		}
		for what, key := range map[string]ssh.Signer{
			"as a plain key": own.Disguised("ssh-ed25519"),
			"as ECDSA":       own.Disguised(softkey.ECDSA),
			"by a stranger":  newSoftKey(t),
		} {
			if o := denied(t, s, suite.Attempt{User: u.Name, Key: key,
				Codes: []string{u.Code()}}); len(o.Prompts) > 0 {
				t.Errorf("%s: got the prompts %q, want that sshd refuses the key", what, o.Prompts)
			}
		}
		script(t, h, "enroll unlock "+u.Name+" && enroll remove --user "+u.Name+" yubikey")
		allowed(t, s, suite.Attempt{User: u.Name, Key: own, Codes: []string{u.Code()}})
		audited(t, h, u.Name, n+1, "verdict=allow", "method=totp")
	})
}

func TestOfTwoKeysThatSSHDAskedForOneMustBeEnrolled(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := keyServer(t, h, "twokeys",
			"AuthenticationMethods publickey,publickey,keyboard-interactive")
		u := enrolled(t, h)
		own, first, second := newSoftKey(t), newSoftKey(t), newSoftKey(t)
		authorize(t, h, u, own.Line(), first.Line(), second.Line())
		enrollKey(t, h, u, "yubikey", own.Line())
		byKey(t, s, suite.Attempt{User: u.Name, Key: own, Second: first}, 1, "yubikey")
		byKey(t, s, suite.Attempt{User: u.Name, Key: first, Second: own}, 2, "yubikey")
		o := denied(t, s,
			suite.Attempt{User: u.Name, Key: first, Second: second, Codes: u.WrongCodes()})
		if o.CodePrompts() != 3 {
			t.Errorf("got the prompts %q, want three for a code", o.Prompts)
		}
		o = denied(t, s, suite.Attempt{User: u.Name, Key: own, Codes: []string{u.Code()}})
		if len(o.Prompts) > 0 {
			t.Errorf("got the prompts %q with one key, want none", o.Prompts)
		}
	})
}

func TestALockAndTheRuleKeepAnEnrolledKeyOut(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u, own := keyServer(t, h, "lockedkey"), enrolled(t, h), newSoftKey(t)
		authorize(t, h, u, own.Line(), string(ssh.MarshalAuthorizedKey(shared.Key.PublicKey())))
		enrollKey(t, h, u, "yubikey", own.Line())
		for n := range 4 {
			denied(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: u.WrongCodes()})
			audited(t, h, u.Name, n+1, "verdict=deny")
		}
		denied(t, s, suite.Attempt{User: u.Name, Key: own})
		audited(t, h, u.Name, 5, "verdict=deny", "reason=locked")
		script(t, h, "enroll unlock "+u.Name)
		byKey(t, s, suite.Attempt{User: u.Name, Key: own}, 6, "yubikey")
	})
}

// The caller of su and sudo chooses the environment, and pam_env a part of PAM's.
func TestTheCallerOfSuAndSudoCannotGiveAKey(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		script(t, h, "cat >/etc/sudoers.d/all <<'END'\n"+
			"ALL ALL=(ALL) ALL\nDefaults !env_reset\nEND")
		stack := append(suite.Stack{"optional pam_env.so user_readenv=1"}, suite.Latchkey...)
		for _, app := range local {
			must(t, h.Service(app.service, stack))
			from, to := enrolled(t, h), enrolled(t, h)
			u, own := app.user(from, to), newSoftKey(t)
			enrollKey(t, h, u, "yubikey", own.Line())
			given := "SSH_AUTH_INFO_0=publickey " + own.Line()
			for _, file := range []string{"/home/" + from.Name, "/home/" + to.Name} {
				_, err := h.Exec(given+"\n", "/usr/bin/tee", file+"/.pam_environment")
				must(t, err)
			}
			argv := app.argv(from, to)
			argv = append([]string{"/usr/bin/env", given}, argv...)
			for i, word := range argv {
				if word == "GODEBUG=http2debug=1" {
					argv[i] = given
				}
			}
			term, err := terminal.New(h.Shell(argv...))
			must(t, err)
			must(t, term.Expect(`[Pp]assword`))
			must(t, term.Type(suite.Password))
			for range 3 {
				must(t, term.Expect(`From your app.*Verification code: `))
				must(t, term.Type(u.WrongCode()))
			}
			audited(t, h, u.Name, 1, "verdict=deny", "reason=wrong",
				fmt.Sprintf("service=%q", app.service))
			term.Close()
		}
		u, own := enrolled(t, h), newSoftKey(t)
		enrollKey(t, h, u, "yubikey", own.Line())
		must(t, h.Service("sshd", append(stack, "required pam_permit.so")))
		reply, err := h.Run(wire.Request{Argv: []string{"/usr/bin/pamtester", "-E",
			"SSH_AUTH_INFO_0=publickey " + own.Line(), "sshd", u.Name, "authenticate"},
			Stdin: []byte(suite.Password + "\n")})
		must(t, err)
		if reply.Exit == 0 {
			t.Error("got that a program that calls its service sshd may say which keys " +
				"were accepted")
		}
		audited(t, h, u.Name, 1, "verdict=deny", `service="sshd"`)
	})
}

// What a signature says was done (touch, PIN) is checked by sshd alone, and a user's own file can
// switch the touch off, unless sshd_config asks for it.
func TestOnlyPubkeyAuthOptionsKeepsAnAuthorizedKeysFileFromSwitchingTheTouchOff(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		u, ca := enrolled(t, h), authority(t, h)
		plain, touch, pin := keyServer(t, h, "touch0"),
			keyServer(t, h, "touch1", "PubkeyAuthOptions touch-required"),
			keyServer(t, h, "touch2", "PubkeyAuthOptions verify-required")
		both := keyServer(t, h, "touch3", "PubkeyAuthOptions touch-required verify-required")
		key := newSoftKey(t)
		enrollKey(t, h, u, "yubikey", key.Line())
		const touched, verified = softkey.Touched, softkey.Touched | softkey.Verified
		n := 0
		for _, c := range []struct {
			options string
			server  *suite.Server
			did     byte
			in      bool
		}{
			{"", plain, 0, false}, {"", plain, touched, true},
			{"no-touch-required", plain, 0, true}, {"no-touch-required", touch, 0, false},
			{"no-touch-required", touch, touched, true},
			{"no-touch-required", pin, softkey.Verified, true},
			{"no-touch-required", pin, 0, false},
			{"no-touch-required", both, softkey.Verified, false},
			{"no-touch-required", both, verified, true},
			{"verify-required", plain, touched, false}, {"verify-required", plain, verified, true},
			{"", pin, touched, false}, {"", pin, verified, true},
			{"", pin, softkey.Verified, false},
		} {
			authorize(t, h, u, strings.TrimSpace(c.options+" "+key.Line()))
			key.Did = c.did
			t.Logf("%q, server %s, signature says %d", c.options, c.server.Name, c.did)
			if c.in {
				n++
				byKey(t, c.server, suite.Attempt{User: u.Name, Key: key}, n, "yubikey")
			} else if o := denied(t, c.server,
				suite.Attempt{User: u.Name, Key: key}); len(o.Prompts) > 0 {
				t.Errorf("got the prompts %q, want that sshd refuses the key", o.Prompts)
			}
		}
		key.Did = 0
		authorize(t, h, u, "")
		lax, err := key.Certified(ca, u.Name, 1, "no-touch-required")
		must(t, err)
		byKey(t, plain, suite.Attempt{User: u.Name, Key: lax}, n+1, "yubikey")
		denied(t, touch, suite.Attempt{User: u.Name, Key: lax})
		strict, err := key.Certified(ca, u.Name, 2)
		must(t, err)
		denied(t, plain, suite.Attempt{User: u.Name, Key: strict})
	})
}
