package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

func TestPasswordAndCodeLetAUserIn(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.PasswordAndCode), enrolled(t, h)
		o := denied(t, s,
			suite.Attempt{User: u.Name, Password: suite.Password, Codes: u.WrongCodes()})
		if o.CodePrompts() != 3 {
			t.Errorf("asked %d times, not 3: %q", o.CodePrompts(), o.Prompts)
		}
		audited(t, h, u.Name, 1, "verdict=deny", "reason=wrong", "tries=3", `service="latchkey"`,
			`from="127.0.0.1"`)
		o = allowed(t, s,
			suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}})
		if o.CodePrompts() != 1 {
			t.Errorf("asked %d times, not once: %q", o.CodePrompts(), o.Prompts)
		}
		audited(t, h, u.Name, 2, "verdict=allow", "reason=ok", "method=totp", `device="phone"`)
	})
}

func TestAWrongPasswordIsDeniedBeforeACodeIsAskedFor(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.PasswordAndCode), enrolled(t, h)
		o := denied(t, s,
			suite.Attempt{User: u.Name, Password: "wrong", Codes: []string{u.Code()}})
		if o.CodePrompts() != 0 {
			t.Errorf("a code was asked for: %q", o.Prompts)
		}
		allowed(t, s,
			suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}})
		audited(t, h, u.Name, 1, "verdict=allow")
	})
}

func TestKeyAndCodeLetAUserIn(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.KeyAndCode), enrolled(t, h)
		denied(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: u.WrongCodes()})
		audited(t, h, u.Name, 1, "verdict=deny", "reason=wrong")
		denied(t, s, suite.Attempt{User: u.Name, Codes: []string{u.Code()}})
		denied(t, s, suite.Attempt{User: u.Name, Key: shared.Stranger, Codes: []string{u.Code()}})
		o := allowed(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
		if len(o.Prompts) != 1 {
			t.Errorf("asked for more than the code: %q", o.Prompts)
		}
		audited(t, h, u.Name, 2, "verdict=allow", "reason=ok")
	})
}

// A password that the client sends by the "password" method is not a code: the code is asked for
// all the same, and nothing hangs. That sshd ends such a session afterwards ("pam_setcred():
// Permission denied", with pam_unix alone as well) is not tested here.
func TestPasswordMethodTriedFirstNeitherSkipsTheCodeNorHangs(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.PasswordToo), enrolled(t, h)
		o := attempt(t, s, suite.Attempt{
			User:          u.Name,
			Password:      suite.Password,
			PasswordFirst: true,
			Codes:         []string{u.Code()},
		})
		if o.CodePrompts() != 1 {
			t.Errorf("asked for a code %d times, not once: %q (%v)", o.CodePrompts(),
				o.Prompts, o.Err)
		}
		run, err := s.Client("ssh",
			suite.OpenSSH{User: u.Name, Password: suite.Password, Methods: "password"},
			"host", "id")
		must(t, err)
		if run.Exit == 0 {
			t.Errorf("the password alone got in: %+v", run)
		}
		run, err = s.Client("ssh",
			suite.OpenSSH{User: u.Name, Password: suite.Password,
				Methods: "password,keyboard-interactive",
				Codes:   []string{u.CodeAt(1)}}, "host", "id")
		must(t, err)
		if run.CodePrompts() != 1 {
			t.Errorf("ssh was asked for a code %d times, not once: %+v", run.CodePrompts(), run)
		}
	})
}

func TestOnlyTheRightCodeIsAccepted(t *testing.T) {
	codes := map[string]func(u *suite.User) string{
		"empty":          func(*suite.User) string { return "" },
		"five digits":    func(u *suite.User) string { return u.Code()[:5] },
		"seven digits":   func(u *suite.User) string { return u.Code() + "0" },
		"not ASCII":      func(*suite.User) string { return "٣٤٥٦٧٨" },
		"not UTF-8":      func(*suite.User) string { return "\xff\xfe123456" },
		"with a NUL":     func(u *suite.User) string { return u.WrongCode() + "\x00" + u.Code() },
		"a thousand":     func(u *suite.User) string { return strings.Repeat(u.Code(), 200) },
		"200 kilobytes":  func(u *suite.User) string { return strings.Repeat("1", 200<<10) },
		"format strings": func(*suite.User) string { return "%n%n%s%s" },
		"sshd's junk":    func(*suite.User) string { return "\b\n\r\177INCORRECT" },
	}
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := server(t, h, suite.KeyAndCode)
		for name, code := range codes {
			t.Run(name, func(t *testing.T) {
				u := enrolled(t, h)
				denied(t, s, suite.Attempt{
					User:  u.Name,
					Key:   shared.Key,
					Codes: []string{code(u)},
				})
				audited(t, h, u.Name, 1, "verdict=deny")
				allowed(t, s,
					suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
			})
		}
	})
}

// sshd asks for the code in one process and establishes the session in another, so the answers of
// pam_setcred and pam_acct_mgmt there must not need anything that pam_authenticate left behind.
func TestCredentialsAndAccountAreAnsweredInAnotherProcess(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		c := suite.PasswordAndCode
		c.Name, c.Account = "account", []string{"required pam_latchkey.so"}
		s, u := ownServer(t, h, c), enrolled(t, h)
		allowed(t, s,
			suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}})
		log := logOf(h, u.Name)
		if strings.Contains(log, "pam_setcred") || strings.Contains(log, "Access denied") {
			t.Error(log)
		}
		denied(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: u.WrongCodes()})
	})
}

func TestSpacesAndDashesInACodeDoNotMatter(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.KeyAndCode), enrolled(t, h)
		for i, between := range []string{" ", "-"} {
			code := u.CodeAt(i)
			allowed(t, s, suite.Attempt{
				User:  u.Name,
				Key:   shared.Key,
				Codes: []string{code[:3] + between + code[3:]},
			})
		}
		denied(t, s, suite.Attempt{
			User:  u.Name,
			Key:   shared.Key,
			Codes: []string{u.WrongCode()[:3] + " " + u.WrongCode()[3:]},
		})
	})
}
