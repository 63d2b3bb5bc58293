package sshd_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// notice is the beginning of what a user is told of wrong codes before the login.
const notice = "2 wrong codes were refused since "

// guessed is a user at whose second factor someone has guessed twice in vain.
func guessed(t *testing.T, s *suite.Server) *suite.User {
	t.Helper()
	u := enrolled(t, s.Host)
	run := client(t, s, "ssh", suite.OpenSSH{
		User: u.Name, Password: suite.Password, Codes: u.WrongCodes()[:2],
	}, "host", "true")
	if strings.Contains(run.Stdout+run.Stderr+strings.Join(run.Prompts, ""), notice) {
		t.Errorf("someone who was refused was told: %+v", run)
	}
	return u
}

// FAULTS 39. The user hears of it once, when the login has succeeded, and never in what a program
// reads.
func TestUserHearsOfWrongCodesOnceAfterSuccessAndNeverInData(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := server(t, h, suite.PasswordAndCode)
		t.Run("a shell", func(t *testing.T) { toldAtTerminal(t, s) })
		for _, use := range dataUses {
			t.Run(use.name, func(t *testing.T) {
				t.Parallel()
				u := guessed(t, s)
				for login := range 2 {
					readsOnly(t, s, u, use, login)
				}
			})
		}
	})
}

// readsOnly demands that a program gets its data and no notice in it.
func readsOnly(t *testing.T, s *suite.Server, u *suite.User, use dataUse, login int) {
	t.Helper()
	got, run := use.run(t, s, suite.OpenSSH{
		User: u.Name, Password: suite.Password, Codes: []string{u.CodeAt(login)},
	})
	want := use.want(s, u)
	if got != want || run.Exit != 0 || strings.Contains(run.Stdout, notice) {
		t.Errorf("got data %q, want %q; %+v\n%s", got, want, run, logOf(s.Host, u.Name))
	}
}

// toldAtTerminal logs in three times on a terminal: with nothing but wrong codes, and twice with a
// right one.
func toldAtTerminal(t *testing.T, s *suite.Server) {
	u := guessed(t, s)
	for login, want := range []int{1, 0} {
		c := suite.OpenSSH{User: u.Name, Options: []string{"RequestTTY=yes"}}
		term, err := s.Terminal(c, "host")
		must(t, err)
		defer term.Close()
		must(t, term.Expect("Password: "))
		must(t, term.Type(suite.Password))
		must(t, term.Expect("Verification code: "))
		if strings.Contains(term.Seen(), "refused since") {
			t.Errorf("login %d: told before success: %s", login+1, term.Seen())
		}
		must(t, term.Type(u.CodeAt(login)))
		must(t, term.Expect(`[$#] $`))
		if got := strings.Count(term.Seen(), notice); got != want {
			t.Errorf("login %d: told %d times, want %d:\n%s", login+1, got, want, term.Seen())
		}
	}
}

// dataUse is one way by which programs read and write through ssh.
type dataUse struct {
	name string
	run  func(t *testing.T, s *suite.Server, c suite.OpenSSH) (data string, run *suite.Run)
	want func(s *suite.Server, u *suite.User) string
}

// copied is what a file has that was copied.
func copied(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Error(err)
	}
	return string(text)
}

var dataUses = []dataUse{
	{"a command", func(t *testing.T, s *suite.Server, c suite.OpenSSH) (string, *suite.Run) {
		run := client(t, s, "ssh", c, "host", "id", "-un")
		return run.Stdout, run
	}, func(_ *suite.Server, u *suite.User) string { return u.Name + "\n" }},
	{"scp by sftp", copyBy("scp", "-s"), theFile},
	{"scp by its own protocol", copyBy("scp", "-O"), theFile},
	{"sftp", func(t *testing.T, s *suite.Server, c suite.OpenSSH) (string, *suite.Run) {
		path := filepath.Join(t.TempDir(), "copy")
		c.Stdin = "get " + release + " " + path + "\n"
		run := client(t, s, "sftp", c, "host")
		return copied(t, path), run
	}, theFile},
}

// release is a file that every user can read.
const release = "/etc/debian_version"

func theFile(s *suite.Server, _ *suite.User) string {
	text, err := s.Exec("", "/bin/cat", release)
	if err != nil {
		return err.Error()
	}
	return text
}

// copyBy copies the file by a program with options.
func copyBy(
	program string, options ...string,
) func(*testing.T, *suite.Server, suite.OpenSSH) (string, *suite.Run) {
	return func(t *testing.T, s *suite.Server, c suite.OpenSSH) (string, *suite.Run) {
		path := filepath.Join(t.TempDir(), "copy")
		args := slices.Concat(options, []string{"host:" + release, path})
		run := client(t, s, program, c, args...)
		return copied(t, path), run
	}
}
