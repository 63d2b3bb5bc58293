package sshd_test

import (
	"testing"

	"golang.org/x/crypto/ssh"

	"latchkey/sshd/softkey"
	"latchkey/sshd/suite"
)

// ownKeys has Debian's own sshd believe each user's own file, and no other.
const ownKeys = "AuthorizedKeysFile=/home/%u/.ssh/authorized_keys"

// keyUser is an enrolled user with security keys, of software.
type keyUser struct {
	*suite.User
	key    *softkey.Key // enrolled
	spare  *softkey.Key // not enrolled
	logins int          // that are in the log
	server *suite.Server
}

// keyUser gives a user whose authorized_keys lists the keys with options, and the suite's own key.
func (h *recipeHost) keyUser(t *testing.T, options string) *keyUser {
	t.Helper()
	u := &keyUser{User: enrolled(t, h.Host), key: newSoftKey(t), spare: newSoftKey(t)}
	authorize(t, h.Host, u.User, options+u.key.Line(), options+u.spare.Line(),
		string(ssh.MarshalAuthorizedKey(shared.Key.PublicKey())))
	enrollKey(t, h.Host, u.User, "yubikey", u.key.Line())
	return u
}

// byKey demands that the enrolled key gets in, and that nothing is asked.
func (u *keyUser) byKey(t *testing.T) {
	t.Helper()
	u.logins++
	byKey(t, u.server, suite.Attempt{User: u.Name, Key: u.key}, u.logins, "yubikey")
}

// kept demands that a key is kept out, with codes as well.
func (u *keyUser) kept(t *testing.T, key ssh.Signer, codes []string, words ...string) {
	t.Helper()
	denied(t, u.server, suite.Attempt{User: u.Name, Key: key, Codes: codes})
	if len(words) > 0 {
		u.logins++
		audited(t, u.server.Host, u.Name, u.logins, words...)
	}
}

// recoveryCode gives one of the user's recovery codes.
func (u *keyUser) recoveryCode(t *testing.T) string {
	t.Helper()
	out := script(t, u.server.Host, "enroll codes --user "+u.Name+" --yes | head -n 1")
	return out[:len(out)-1]
}

func securityKey(t *testing.T, h *recipeHost) {
	u := h.keyUser(t, "no-touch-required ")
	h.healthy(t, "")
	u.server = h.own(t, ownKeys)
	u.byKey(t)
	u.kept(t, u.spare, []string{u.Code()}, "verdict=deny", "reason=forbidden")
	u.kept(t, shared.Key, []string{u.Code()}, "verdict=deny", "reason=forbidden")
	u.key.Did = 0
	u.kept(t, u.key, nil) // sshd itself refuses it
	u.key.Did = softkey.Touched
	u.logins++
	allowed(t, u.server, suite.Attempt{User: u.Name, Key: shared.Key,
		Codes: []string{u.recoveryCode(t)}})
	script(t, h.Host, "enroll remove --user "+u.Name+" yubikey")
	denied(t, u.server, suite.Attempt{User: u.Name, Key: u.key, Codes: []string{u.Code()}})
	h.withoutAPrompt(t, u.server)
}

// withoutAPrompt checks that OpenSSH's own clients ask nothing for a security key. BatchMode
// switches keyboard-interactive off, by which PAM says yes.
func (h *recipeHost) withoutAPrompt(t *testing.T, s *suite.Server) {
	for _, use := range uses[:3] {
		t.Run(use.name, func(t *testing.T) {
			u := h.keyUser(t, "")
			agent, err := softkey.NewAgent(u.key, t.TempDir())
			must(t, err)
			defer agent.Close()
			c := suite.OpenSSH{User: u.Name, Options: agent.Options,
				Methods: "publickey,keyboard-interactive"}
			if run, done := use.run(t, s, c); !done || len(run.Prompts) > 0 {
				t.Errorf("done=%v %+v, want it done without a prompt\n%s", done, run,
					logOf(h.Host, u.Name))
			}
			c.Options = append([]string{"BatchMode=yes"}, c.Options...)
			if run, done := use.run(t, s, c); done {
				t.Errorf("done=%v %+v with BatchMode, want that it is refused", done, run)
			}
		})
	}
}

func securityKeyAndPIN(t *testing.T, h *recipeHost) {
	u := h.keyUser(t, "no-touch-required ")
	u.server = h.own(t, ownKeys)
	for did, in := range map[byte]bool{
		0: false, softkey.Touched: false, softkey.Verified: false,
		softkey.Touched | softkey.Verified: true,
	} {
		if u.key.Did = did; in {
			u.byKey(t)
		} else {
			u.kept(t, u.key, nil) // sshd itself refuses it
		}
	}
	u.spare.Did = softkey.Touched | softkey.Verified
	u.kept(t, u.spare, []string{u.Code()}, "verdict=deny", "reason=forbidden")
	u.kept(t, shared.Key, []string{u.Code()}, "verdict=deny", "reason=forbidden")
}

func securityKeyForAdministrators(t *testing.T, h *recipeHost) {
	admin, other := h.keyUser(t, ""), h.keyUser(t, "")
	script(t, h.Host,
		"adduser --quiet "+admin.Name+" sudo 2>/dev/null || gpasswd -a "+admin.Name+" sudo")
	admin.server = h.own(t, ownKeys)
	other.server = admin.server
	for _, u := range []*keyUser{admin, other} {
		u.key.Did = softkey.Touched | softkey.Verified
	}
	admin.byKey(t)
	admin.kept(t, shared.Key, []string{admin.Code()}, "verdict=deny", "reason=forbidden")
	admin.key.Did = softkey.Touched
	admin.kept(t, admin.key, []string{admin.Code()})
	other.kept(t, other.key, other.WrongCodes(), "verdict=deny", "reason=wrong")
	for i, key := range []ssh.Signer{other.key, shared.Key} {
		o := allowed(t, other.server, suite.Attempt{User: other.Name, Key: key,
			Codes: []string{other.CodeAt(i)}})
		if o.CodePrompts() != 1 {
			t.Errorf("got the prompts %q, want one for a code", o.Prompts)
		}
	}
}

// The real pam_u2f finds no security key in a container, so the code is asked for. A module that
// succeeds stands for a touch.
func sudoAndSecurityKey(t *testing.T, h *recipeHost) {
	sudoRecipe(t, h)
	u := user(t, h.Host)
	argv := as(u, "/usr/bin/sudo", "-S", "/usr/bin/id")
	if h.piped(t, suite.Password+"\n", argv...) {
		t.Error("allowed without a touch and without a code")
	}
	const swap = "cd /usr/lib/*/security && "
	script(t, h.Host, swap+"cp pam_u2f.so u2f.kept && cp pam_permit.so pam_u2f.so")
	defer script(t, h.Host, swap+"mv u2f.kept pam_u2f.so")
	if h.piped(t, "not it\n", argv...) {
		t.Error("allowed by a touch with a wrong password")
	}
	if !h.piped(t, suite.Password+"\n", argv...) {
		t.Error("denied with the password and a touch")
	}
}
