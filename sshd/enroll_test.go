package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

func TestAUserEnrollsAtATerminalAndLogsInWithThatApp(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s := server(t, h, suite.PasswordAndCode)
		foreign, err := h.ForeignUsers(1)
		must(t, err)
		for _, u := range []*suite.User{user(t, h), foreign[0]} {
			refused := enroll(t, h, u)
			must(t, refused.Expect(`Password: `))
			must(t, refused.Type("wrong"))
			if exit, err := refused.Exit(); err != nil || exit == 0 ||
				strings.Contains(refused.Seen(), "Scan") {
				t.Errorf("with a wrong password: exit %d, %v: %q", exit, err, refused.Seen())
			}
			term := enroll(t, h, u)
			must(t, term.Expect(`Password: `))
			must(t, term.Type(suite.Password))
			must(t, term.Expect(`Type the code that the app shows now. Verification code: `))
			must(t, u.ReadSecret(term.Seen()))
			must(t, term.Type(u.Code()))
			if exit, err := term.Exit(); err != nil || exit != 0 {
				t.Fatalf("exit %d, %v: %q", exit, err, term.Seen())
			}
			denied(t, s, suite.Attempt{
				User:     u.Name,
				Password: suite.Password,
				Codes:    u.WrongCodes(),
			})
			allowed(t, s, suite.Attempt{
				User:     u.Name,
				Password: suite.Password,
				Codes:    []string{u.CodeAt(1)},
			})
		}
	})
}

// enroll starts `enroll` as the user on a terminal inside the host, with a hostile environment.
func enroll(t *testing.T, h *suite.Host, u *suite.User) *terminal.Terminal {
	t.Helper()
	term, err := terminal.New(h.Shell(as(u, "/usr/bin/enroll")...))
	must(t, err)
	t.Cleanup(term.Close)
	return term
}
