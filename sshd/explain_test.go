package sshd_test

import (
	"encoding/json"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// explained returns what enroll explain says about a login: asked, allow or deny.
func explained(t *testing.T, h *suite.Host, u *suite.User, service string) string {
	t.Helper()
	out, err := h.Exec("", "/usr/bin/enroll", "explain", u.Name, "--from", "127.0.0.1",
		"--service", service, "--json")
	must(t, err)
	var e struct{ Result string }
	must(t, json.Unmarshal([]byte(out), &e))
	return e.Result
}

// happens returns the actual outcome of a login, in the same words.
func happens(t *testing.T, s *suite.Server, u *suite.User) string {
	t.Helper()
	in := func(code string) bool {
		o := attempt(t, s, suite.Attempt{User: u.Name, Password: suite.Password,
			Codes: []string{code}})
		if !o.In() {
			return false
		}
		_, err := o.Output("true") // a login whose session cannot be opened does not count
		return err == nil
	}
	wrong, right := in(u.WrongCode()), in(u.Code())
	switch {
	case wrong && right:
		return "allow"
	case right:
		return "asked"
	case !wrong:
		return "deny"
	}
	return "a wrong code alone"
}

// stray is the secret of an app that no one has enrolled.
const stray = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

const (
	unixFirst = "auth requisite pam_unix.so nodelay\n"
	theCode   = "auth required pam_latchkey.so\n"
	theRest   = "account required pam_unix.so\nsession required pam_permit.so\n"
)

// What explain says is the outcome of a login, however the service's stack uses pam_latchkey.
func TestExplainAgreesWithTheLogin(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		_, err := h.Script("set -e\ncd /etc/latchkey\nprintf '[[rule]]\\nrequire = \"deny\"\\n" +
			"' >explain-deny.toml\n" +
			"printf '[[rule]]\\nrequire = \"none\"\\n' >explain-none.toml\nprintf '[[rule]]\\n" +
			"require = \"code\"\\nmethods = [\"sms\"]\\n' >explain-sms.toml\n" +
			"printf 'unenrolled = \"allow\"\\n' >explain-allow.toml\n")
		must(t, err)
		for _, c := range []struct {
			name, stack, want string
			unenrolled        bool
		}{
			{"right", unixFirst + theCode + theRest, "asked", false},
			{"absent", unixFirst + theRest, "allow", false},
			{"optional", unixFirst + "auth optional pam_latchkey.so\n" + theRest, "allow", false},
			{"ignored", unixFirst + "auth [success=ok default=ignore] pam_latchkey.so\n" + theRest,
				"allow", false},
			{"sufficient-below", unixFirst + "auth sufficient pam_latchkey.so\n" + theRest,
				"allow", false},
			{"sufficient-above", "auth sufficient pam_unix.so nodelay\n" + theCode + theRest,
				"allow", false},
			{"jumped-over", "auth [success=1 default=die] pam_unix.so nodelay\n" + theCode +
				"auth required pam_permit.so\n" + theRest, "allow", false},
			{"twice", unixFirst + theCode + theCode + theRest, "deny", false},
			{"twice-by-include", unixFirst + theCode + "auth include explain-right\n" + theRest,
				"deny", false},
			{"denied-below", unixFirst + theCode + "auth required pam_deny.so\n" + theRest, "deny",
				false},
			{"dash", unixFirst + "-auth required pam_latchkey.so\n" + theRest, "asked", false},
			{"comment", "# the code \\\n" + unixFirst + "# here # \\\n" + theCode + theRest,
				"asked", false},
			{"brackets", "[auth] [requisite][pam_unix.so] nodelay\n" +
				"auth success=ok pam_latchkey.so\n" + theRest, "asked", false},
			{"misspelt", unixFirst + "auth requird pam_latchkey.so\n" + theRest, "deny", false},
			{"missing-include", unixFirst + theCode + "auth include nothing-there\n" + theRest,
				"deny", false},
			{"account-deny", unixFirst + theCode + "account required pam_deny.so\n" + theRest,
				"deny", false},
			{"account-missing", unixFirst + theCode + "account required pam_no.so\n" + theRest,
				"deny", false},
			{"account-sufficient", unixFirst + theCode + "account sufficient pam_unix.so\n" +
				"account required pam_deny.so\n" + theRest, "asked", false},
			{"session", unixFirst + theCode + theRest + "session required pam_latchkey.so\n",
				"deny", false},
			{"session-optional", unixFirst + theCode + theRest +
				"session optional pam_latchkey.so\n", "asked", false},
			{"account", unixFirst + theCode + "account sufficient pam_latchkey.so\n" + theRest,
				"asked", false},
			{"argument", unixFirst + "auth required pam_latchkey.so nullok\n" + theRest, "deny",
				false},
			{"argument-optional", unixFirst + "auth optional pam_latchkey.so nullok\n" + theRest,
				"allow", false},
			{"policy-missing", unixFirst +
				"auth required pam_latchkey.so conf=/etc/latchkey/explain-x.toml\n" + theRest,
				"deny", false},
			{"policy-denies", unixFirst +
				"auth required pam_latchkey.so conf=/etc/latchkey/explain-deny.toml\n" + theRest,
				"deny", false},
			{"policy-lets-in", unixFirst +
				"auth required pam_latchkey.so conf=/etc/latchkey/explain-none.toml\n" + theRest,
				"allow", false},
			{"policies", unixFirst + "auth required pam_latchkey.so " +
				"conf=/etc/latchkey/explain-none.toml\n" + theCode + theRest, "asked", false},
			{"policy-sms", unixFirst +
				"auth required pam_latchkey.so conf=/etc/latchkey/explain-sms.toml\n" + theRest,
				"deny", false},
			{"module-elsewhere", unixFirst + "auth required /opt/pam_latchkey.so\n" + theRest,
				"deny", false},
			{"unenrolled", unixFirst + theCode + theRest, "deny", true},
			{"unenrolled-let-in", unixFirst +
				"auth required pam_latchkey.so conf=/etc/latchkey/explain-allow.toml\n" + theRest,
				"allow", true},
			{"writable", unixFirst + theCode + theRest, "asked", false},
		} {
			t.Run(c.name, func(t *testing.T) {
				u := user(t, h)
				if u.Secret = stray; !c.unenrolled {
					must(t, u.Enroll())
				}
				service := "explain-" + c.name
				s := ownServer(t, h, suite.Config{Name: service})
				_, err := h.Exec(c.stack, "/usr/bin/tee", "/etc/pam.d/"+service)
				must(t, err)
				if c.name == "writable" {
					_, err = h.Exec("", "/bin/chmod", "0666", "/etc/pam.d/"+service)
					must(t, err)
				}
				says, is := explained(t, h, u, service), happens(t, s, u)
				if says != is || is != c.want {
					t.Errorf("explain says %q, the login is %q, want %q\n%s", says, is, c.want,
						logOf(h, u.Name))
				}
			})
		}
	})
}

// Of a key only sshd can tell, and only if its configuration has one come before PAM.
func TestExplainSaysWhereASecurityKeyStandsForTheCode(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		u, own := enrolled(t, h), newSoftKey(t)
		authorize(t, h, u, own.Line())
		enrollKey(t, h, u, "yubikey", own.Line())
		first := keyServer(t, h, "explain-key")
		other := keyServer(t, h, "explain-no-sk", "PubkeyAcceptedAlgorithms ssh-ed25519")
		password := server(t, h, suite.PasswordAndCode)
		must(t, h.Service("explain-local", suite.OnlyCode))
		byKey(t, first, suite.Attempt{User: u.Name, Key: own}, 1, "yubikey")
		denied(t, other, suite.Attempt{User: u.Name, Key: own})
		for service, want := range map[string]string{
			first.Name:      `"keys": [` + "\n    \"yubikey\"",
			other.Name:      "sshd takes no key of that type",
			password.Name:   "sshd asks for no key before PAM in this login",
			"explain-local": "none has the PAM service explain-local",
		} {
			out, err := h.Exec("", "/usr/bin/enroll", "explain", u.Name, "--from", "127.0.0.1",
				"--service", service, "--json")
			must(t, err)
			if !strings.Contains(out, want) {
				t.Errorf("at %s: got %s, want %s", service, out, want)
			}
		}
	})
}
