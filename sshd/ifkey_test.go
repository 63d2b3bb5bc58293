package sshd_test

import (
	"testing"

	"latchkey/sshd/suite"
)

// One stack serves both: users who have shown a key skip the password line, and all users give the
// code.
func TestKeyReplacesThePasswordAndNeverTheCode(t *testing.T) {
	config := suite.Config{Name: "either", Stack: suite.Stack{
		"[success=1 default=ignore] pam_latchkey.so if_publickey", "requisite pam_unix.so nodelay",
		"required pam_latchkey.so",
	}, Options: []string{"PubkeyAuthentication yes",
		"AuthenticationMethods publickey,keyboard-interactive keyboard-interactive"}}
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := ownServer(t, h, config), enrolled(t, h)
		if o := allowed(t, s, suite.Attempt{
			User:  u.Name,
			Key:   shared.Key,
			Codes: []string{u.Code()},
		}); len(o.Prompts) != 1 {
			t.Errorf("with a key: %q", o.Prompts)
		}
		if o := allowed(t, s, suite.Attempt{
			User:     u.Name,
			Password: suite.Password,
			Codes:    []string{u.CodeAt(1)},
		}); len(o.Prompts) != 2 {
			t.Errorf("without a key: %q", o.Prompts)
		}
		denied(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: u.WrongCodes()})
		if o := denied(t, s, suite.Attempt{
			User:     u.Name,
			Key:      shared.Stranger,
			Password: "not it",
			Codes:    []string{u.CodeAt(1)},
		}); o.CodePrompts() != 0 {
			t.Errorf("with a stranger's key: %q", o.Prompts)
		}
		if o := denied(t, s, suite.Attempt{
			User:     u.Name,
			Password: "not it",
			Codes:    []string{u.CodeAt(1)},
		}); o.CodePrompts() != 0 {
			t.Errorf("without a key and with a wrong password: %q", o.Prompts)
		}
		// the question about the key is not a decision
		audited(t, h, u.Name, 3, "verdict=deny", "reason=wrong")
	})
}
