package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/suite"
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
			terminal := enroll(t, h, u)
			must(t, terminal.Expect(`Password: `))
			must(t, terminal.Type(suite.Password))
			must(t, terminal.Expect(`Type the code that the app shows now. Verification code: `))
			must(t, u.ReadSecret(terminal.Seen()))
			must(t, terminal.Type(u.Code()))
			if exit, err := terminal.Exit(); err != nil || exit != 0 {
				t.Fatalf("exit %d, %v: %q", exit, err, terminal.Seen())
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
func enroll(t *testing.T, h *suite.Host, u *suite.User) *suite.Terminal {
	t.Helper()
	terminal, err := suite.NewTerminal(h.Shell(as(u, "/usr/bin/enroll")...))
	must(t, err)
	t.Cleanup(terminal.Close)
	return terminal
}
