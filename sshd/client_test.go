package sshd_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// use is one way to use OpenSSH's clients. It reports whether the work was done.
type use struct {
	name string
	run  func(t *testing.T, s *suite.Server, c suite.OpenSSH) (run *suite.Run, done bool)
}

var uses = []use{
	{"a command", func(t *testing.T, s *suite.Server, c suite.OpenSSH) (*suite.Run, bool) {
		run := client(t, s, "ssh", c, "host", "id", "-un")
		return run, run.Stdout == c.User+"\n"
	}},
	{"scp", func(t *testing.T, s *suite.Server, c suite.OpenSSH) (*suite.Run, bool) {
		copied := filepath.Join(t.TempDir(), "passwd")
		run := client(t, s, "scp", c, "host:/etc/passwd", copied)
		_, err := os.Stat(copied)
		return run, err == nil
	}},
	{"sftp", func(t *testing.T, s *suite.Server, c suite.OpenSSH) (*suite.Run, bool) {
		// sftp reads its commands from standard input; -b would forbid every prompt.
		c.Stdin = "pwd\n"
		run := client(t, s, "sftp", c, "host")
		return run, strings.Contains(run.Stdout, "/home/"+c.User)
	}},
	{"a forwarded port", func(t *testing.T, s *suite.Server, c suite.OpenSSH) (*suite.Run, bool) {
		run := client(t, s, "ssh", c, "-W", s.Addr(), "host")
		return run, strings.HasPrefix(run.Stdout, "SSH-2.0-"+s.OpenSSH)
	}},
}

func client(t *testing.T, s *suite.Server, program string, c suite.OpenSSH,
	args ...string) *suite.Run {
	t.Helper()
	run, err := s.Client(program, c, args...)
	must(t, err)
	return run
}

func TestOpenSSHClientsAreAskedForTheCodeEveryTime(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		for _, way := range []struct {
			name   string
			config suite.Config
			client suite.OpenSSH
		}{
			{"by password", suite.PasswordAndCode, suite.OpenSSH{Password: suite.Password}},
			{"by key", suite.KeyAndCode, suite.OpenSSH{Key: true}},
		} {
			for _, use := range uses {
				t.Run(use.name+" "+way.name, func(t *testing.T) {
					asked(t, server(t, h, way.config), use, way.client)
				})
			}
		}
	})
}

// asked uses it with a wrong code first, then with the right one, then with no code at all.
func asked(t *testing.T, s *suite.Server, use use, c suite.OpenSSH) {
	u := enrolled(t, s.Host)
	c.User = u.Name
	c.Codes = u.WrongCodes()[:3]
	if run, done := use.run(t, s, c); done || run.Exit == 0 || run.CodePrompts() == 0 {
		t.Errorf("with a wrong code: done=%v %+v", done, run)
	}
	c.Codes = []string{u.Code()}
	if run, done := use.run(t, s, c); !done || run.CodePrompts() != 1 {
		t.Errorf("with the right code: done=%v %+v\n%s", done, run, logOf(s.Host, u.Name))
	}
	c.Codes = nil
	if run, done := use.run(t, s, c); done || run.Exit == 0 || run.CodePrompts() == 0 {
		t.Errorf("without a code: done=%v %+v", done, run)
	}
}

func TestAPersonAtATerminalSeesThePromptsAndGetsAShell(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.PasswordAndCode), enrolled(t, h)
		term, err := s.Terminal(suite.OpenSSH{User: u.Name}, "host")
		must(t, err)
		defer term.Close()
		must(t, term.Expect(`Password: `))
		must(t, term.Type(suite.Password))
		must(t, term.Expect(`From your app.*Verification code: `))
		must(t, term.Type(u.WrongCode()))
		must(t, term.Expect(`Not accepted\. From your app.*Verification code: `))
		must(t, term.Type(u.Code()))
		must(t, term.Expect(`\$ `))
		must(t, term.Type("id -un; exit"))
		must(t, term.Expect(`\n`+u.Name))
		if exit, err := term.Exit(); err != nil || exit != 0 {
			t.Errorf("exit %d, %v: %q", exit, err, term.Seen())
		}
		if strings.Contains(term.Seen(), suite.Password) {
			t.Errorf("the password was shown: %q", term.Seen())
		}
		audited(t, h, u.Name, 1, "verdict=allow", "tries=2")
	})
}
