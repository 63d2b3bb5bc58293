package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// reminder is what users are told who have no second factor yet.
const reminder = "you need a second factor to log in"

// emptyClone is what git says by itself of an empty repository.
const emptyClone = "warning: You appear to have cloned an empty repository.\n"

// Clients show more at INFO, which is usual, than the rest of the suite asks of them: sshd makes a
// banner of what a module says during the login.
func TestReminderIsShownOnceOnATerminalAndNeverToPrograms(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		byKey := configured(t, h, "reminding", "enroll_by = 2099-12-31\n")
		stack := suite.Stack{"requisite pam_unix.so nodelay",
			"required pam_latchkey.so conf=/etc/latchkey/reminding.toml"}
		byPassword := ownServer(t, h, suite.Config{Name: "reminding-password", Stack: stack})
		older := ownServer(t, h, suite.Config{Name: "reminding-older", Stack: stack,
			Options: []string{"PasswordAuthentication yes"}})
		u := user(t, h)
		script(t, h, "runuser -u "+u.Name+" -- git init -q --bare /home/"+u.Name+"/repo")
		for _, way := range []struct {
			name   string
			server *suite.Server
			client suite.OpenSSH
		}{
			{"password", byPassword, suite.OpenSSH{Password: suite.Password}},
			{"key", byKey, suite.OpenSSH{Key: true}},
			{"the older method for passwords", older,
				suite.OpenSSH{Password: suite.Password, Methods: "password"}},
		} {
			t.Run(way.name, func(t *testing.T) {
				c := way.client
				c.User, c.Options = u.Name, []string{"LogLevel=INFO"}
				remindedOnce(t, way.server, c)
				for _, use := range dataUses {
					data, run := use.run(t, way.server, c)
					if want := use.want(way.server, u); data != want || run.Exit != 0 ||
						strings.Contains(run.Stdout+run.Stderr+strings.Join(run.Prompts, ""), reminder) {
						t.Errorf("%s: got data %q, want %q; %+v", use.name, data, want, run)
					}
				}
				for _, p := range throughSSH {
					if p.name == "rsync" || p.name == "git" {
						ssh, err := way.server.Wrap(c, t.TempDir())
						must(t, err)
						said, done := p.run(t, u, ssh.Path)
						if !done || said != "" && said != emptyClone {
							t.Errorf("%s: done %v, it says %q, want nothing", p.name, done, said)
						}
					}
				}
			})
		}
	})
}

// remindedOnce logs in on a terminal. The session does not get the reminder in its environment.
func remindedOnce(t *testing.T, s *suite.Server, c suite.OpenSSH) {
	t.Helper()
	term, err := s.Terminal(c, "host")
	must(t, err)
	t.Cleanup(term.Close)
	if !c.Key {
		typed(t, term, `assword: `, suite.Password)
	}
	typed(t, term, `\$ `, "echo it has $(env | grep -c -e LATCHKEY -e 2099) of them")
	must(t, term.Expect(`it has 0 of them`))
	seen := term.Seen()
	if n := strings.Count(seen, reminder); n != 1 {
		t.Errorf("reminded %d times, want once: %s", n, seen)
	}
}
