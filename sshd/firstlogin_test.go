package sshd_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// enrolling returns a server where users enroll during their first login.
func enrolling(t *testing.T, h *suite.Host, name, toml string) *suite.Server {
	t.Helper()
	path := "/etc/latchkey/" + name + ".toml"
	_, err := h.Exec("unenrolled = \"enroll\"\n"+toml, "/usr/bin/install", "-m", "644",
		"/dev/stdin", path)
	must(t, err)
	stack := suite.Stack{"requisite pam_unix.so nodelay", "required pam_latchkey.so conf=" + path}
	return ownServer(t, h, suite.Config{Name: name, Stack: stack})
}

// drawing is a word, and the window in which the drawing that it asks for is read whole, together
// with the prompt.
type drawing struct {
	word  string
	light bool
	rows  int
}

// threeTries are OpenSSH's own defaults, with which it asks again and shows what sshd says.
var threeTries = []string{"NumberOfPasswordPrompts=3", "LogLevel=INFO"}

// loginClient is a program with which people log in.
type loginClient struct {
	name  string
	words []drawing // for the drawings that the client shows
	start func(t *testing.T, s *suite.Server, user string) (*terminal.Terminal, error)
}

// clients are those programs in two locales, each on a terminal of its own with 80 columns and 24
// rows.
var clients = []loginClient{
	{"OpenSSH in UTF-8", []drawing{{"small", false, 24}, {"large", false, 45},
		{"invert", true, 45}}, inLocale("C.UTF-8", openSSH)},
	{"OpenSSH in the C locale", []drawing{{"large", false, 45}}, inLocale("C", openSSH)},
	{"PuTTY's plink in UTF-8", []drawing{{"large", false, 45}}, inLocale("C.UTF-8", plink)},
	{"PuTTY's plink in the C locale", []drawing{{"large", false, 45}}, inLocale("C", plink)},
	{"dropbear's dbclient in UTF-8", []drawing{{"large", false, 45}},
		inLocale("C.UTF-8", dbclient)},
	{"dropbear's dbclient in the C locale", []drawing{{"large", false, 45}},
		inLocale("C", dbclient)},
}

// inLocale starts a client in a locale.
func inLocale(locale string, client func(s *suite.Server, user string) []string) func(*testing.T,
	*suite.Server, string) (*terminal.Terminal, error) {
	return func(t *testing.T, s *suite.Server, user string) (*terminal.Terminal, error) {
		argv := []string{"env", "LC_ALL=" + locale, "HOME=" + t.TempDir()}
		return terminal.NewSized(80, 24, append(argv, client(s, user)...))
	}
}

func openSSH(s *suite.Server, user string) []string {
	return s.Command(suite.OpenSSH{User: user, Options: threeTries}, "host")
}

func plink(s *suite.Server, user string) []string {
	return []string{"plink", "-ssh", "-no-antispoof", "-hostkey", s.Fingerprint(), "-P",
		fmt.Sprint(s.Port), "-l", user, "127.0.0.1"}
}

func dbclient(s *suite.Server, user string) []string {
	return []string{"dbclient", "-y", "-p", fmt.Sprint(s.Port), "-l", user, "127.0.0.1"}
}

func TestUserEnrollsDuringTheFirstLogin(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := enrolling(t, h, "first", "")
		for _, client := range clients {
			t.Run(client.name, func(t *testing.T) {
				u := user(t, h)
				client.sees(t, s, u).Close()
				audited(t, h, u.Name, 1, "verdict=deny", "reason=conversation")
				client.enrolls(t, s, u)
				audited(t, h, u.Name, 2, "verdict=allow", "method=totp",
					`device="app"`, "reason=ok", "tries=1")
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
			})
		}
	})
}

// appPrompt is how a first login asks for the app's code.
const appPrompt = `Type the code that the app shows now. Verification code: `

// sees is a first login up to the secret.
func (c loginClient) sees(t *testing.T, s *suite.Server, u *suite.User) *terminal.Terminal {
	t.Helper()
	term, err := c.start(t, s, u.Name)
	must(t, err)
	t.Cleanup(term.Close)
	typed(t, term, `Password: `, suite.Password)
	must(t, term.Expect(appPrompt))
	must(t, u.ReadSecret(term.Seen()))
	shortAndPlain(t, term.Seen())
	fits80(t, term.Seen())
	return term
}

// enrolls is a second first login, from the secret to a shell.
func (c loginClient) enrolls(t *testing.T, s *suite.Server, u *suite.User) {
	t.Helper()
	term := c.sees(t, s, u)
	if stale := "Delete the entry that you made in the app before"; !strings.Contains(term.Seen(),
		stale) {
		t.Errorf("got %s, want %q", term.Seen(), stale)
	}
	for _, word := range []string{"help", "?", "plain", "text", "hello"} {
		must(t, term.Type(word))
		must(t, term.Expect(appPrompt))
	}
	fits80(t, term.Seen())
	for _, d := range c.words {
		must(t, term.Type(d.word))
		must(t, term.Expect(appPrompt))
		scanned(t, u, term.Seen(), d)
	}
	drawn := len(term.Seen())
	must(t, term.Type(u.Code()))
	must(t, term.Expect(`([0-9a-z]{5}-[0-9a-z]{5}[\s|]+){10}Press Enter when you have them: `))
	fits80(t, term.Seen()[drawn:])
	must(t, term.Type(""))
	typed(t, term, `\$ `, "id -un")
	typed(t, term, u.Name, "exit")
	if exit, err := term.Exit(); err != nil || exit != 0 {
		t.Errorf("exit %d, %v: %q", exit, err, term.Seen())
	}
}

// shortAndPlain checks that the first prompt fits a window of 24 lines and that nothing is drawn,
// which a screen reader would read out sign by sign.
func shortAndPlain(t *testing.T, shown string) {
	t.Helper()
	if lines := strings.Count(shown, "\n"); lines >= 24 || strings.ContainsAny(shown, "#▀▄█") {
		t.Errorf("got %d lines before the prompt, want at most 23 and no drawing: %s", lines,
			shown)
	}
}

// scanned checks that a decoder reads the user's secret off a picture of the window.
func scanned(t *testing.T, u *suite.User, shown string, d drawing) {
	t.Helper()
	text, err := terminal.Screen{Columns: 80, Rows: d.rows, Light: d.light}.Scan(shown)
	if err != nil || !strings.HasPrefix(text, "otpauth://totp/") ||
		!strings.HasSuffix(text, ":"+u.Name+"?secret="+u.Secret) {
		t.Errorf("zbar reads %q, %v, in %s", text, err, shown)
	}
}

func TestWrongPasswordShowsNothingToEnroll(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := enrolling(t, h, "firstwrong", "")
		u := user(t, h)
		o := denied(t, s,
			suite.Attempt{User: u.Name, Password: "wrong", Codes: []string{"123456"}})
		if o.CodePrompts() > 0 {
			t.Errorf("asked %q", o.Prompts)
		}
		if _, err := h.Exec("", "/bin/ls", "/var/lib/latchkey/users/"+u.Name); err == nil {
			t.Error("a file was made")
		}
	})
}

func TestStolenPasswordEnrollsNoOneWhereATicketIsRequired(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := enrolling(t, h, "firstticket", "enroll_ticket = true\n")
		u := user(t, h)
		o := denied(t, s,
			suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{"00000-00000"}})
		if len(o.Prompts) == 0 || strings.Contains(strings.Join(o.Prompts, " "), "by hand") {
			t.Errorf("asked %q", o.Prompts)
		}
		said, err := h.Exec("", "/usr/bin/enroll", "invite", u.Name)
		must(t, err)
		ticket := regexp.MustCompile(`[0-9a-z]{5}-[0-9a-z]{5}`).FindString(said)
		answer := func(prompt string) (string, error) {
			switch {
			case strings.Contains(prompt, "icket: "):
				return ticket, nil
			case strings.Contains(prompt, "by hand"):
				must(t, u.ReadSecret(prompt))
				return u.Code(), nil
			}
			return "", nil
		}
		allowed(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Answer: answer})
		_, err = h.Exec("", "/usr/bin/enroll", "reset", u.Name)
		must(t, err)
		denied(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Answer: answer})
	})
}

func TestUsersAreRemindedUntilADateAndThenTheRuleHolds(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		during := configured(t, h, "during", "enroll_by = 2099-12-31\n")
		after := configured(t, h, "after", "enroll_by = 2020-12-31\n")
		u := user(t, h)
		term, err := during.Terminal(suite.OpenSSH{User: u.Name, Key: true}, "host")
		must(t, err)
		t.Cleanup(term.Close)
		must(t, term.Expect(`When 2099-12-31 is over you need a second factor to log in\.\s+`+
			`To set it up, run: enroll`))
		typed(t, term, `\$ `, "id -un")
		must(t, term.Expect(u.Name))
		audited(t, h, u.Name, 1, "verdict=allow", "reason=unenrolled")
		denied(t, after, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{"123456"}})
		audited(t, h, u.Name, 2, "verdict=deny", "reason=unenrolled")
	})
}

// typed waits for each expected text and answers it.
func typed(t *testing.T, term *terminal.Terminal, after, line string) {
	t.Helper()
	must(t, term.Expect(after))
	must(t, term.Type(line))
}

func TestUserEnrollsDuringSuSudoAndLogin(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		script(t, h, "echo 'ALL ALL=(ALL) ALL' >/etc/sudoers.d/all; echo 'unenrolled = "+
			"\"enroll\"' >/etc/latchkey/latchkey.toml")
		for _, app := range local {
			t.Run(app.service, func(t *testing.T) {
				must(t, h.Service(app.service, suite.Latchkey))
				from, to := user(t, h), user(t, h)
				u := app.user(from, to)
				term, err := terminal.New(h.Shell(app.argv(from, to)...))
				must(t, err)
				t.Cleanup(term.Close)
				typed(t, term, `[Pp]assword`, suite.Password)
				must(t, term.Expect(`the app shows now. Verification code: `))
				must(t, u.ReadSecret(term.Seen()))
				typed(t, term, ``, "small")
				must(t, term.Expect(`the app shows now. Verification code: `))
				scanned(t, u, term.Seen(), drawing{"small", false, 24})
				typed(t, term, ``, u.Code())
				typed(t, term, `Press Enter when you have them: `, "")
				if app.service == "login" {
					typed(t, term, `\$ `, "id; exit")
				}
				must(t, term.Expect(`uid=\d+\(`+to.Name+`\)`))
				audited(t, h, u.Name, 1, "verdict=allow", `detail="enrolled`,
					fmt.Sprintf("service=%q", app.service))
			})
		}
	})
}

func TestLoginThatSSHDEndsSavesNothingAndItsUserWasTold(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		path := "/etc/latchkey/hurry.toml"
		script(t, h, "echo 'unenrolled = \"enroll\"' >"+path)
		s := ownServer(t, h, suite.Config{
			Name: "hurry", Options: []string{"LoginGraceTime 15"},
			Stack: suite.Stack{"requisite pam_unix.so nodelay",
				"required pam_latchkey.so conf=" + path},
		})
		u := user(t, h)
		begin := func() *terminal.Terminal {
			term, err := s.Terminal(suite.OpenSSH{User: u.Name}, "host")
			must(t, err)
			t.Cleanup(term.Close)
			typed(t, term, `Password: `, suite.Password)
			must(t, term.Expect(`You have \d+ seconds for it`))
			must(t, term.Expect(`Verification code: `))
			return term
		}
		first := begin()
		typed(t, first, ``, "help")
		must(t, first.Expect(`\d+ seconds left, then the connection ends\.`))
		audited(t, h, u.Name, 1, "verdict=deny", "reason=conversation") // sshd has ended it
		// OpenSSH's client notices only then
		must(t, first.Type(""))
		exit, err := first.Exit()
		if err != nil || exit == 0 || strings.Contains(first.Seen(), "Delete the entry") {
			t.Errorf("got exit status %d, %v, want that sshd ends it: %s", exit, err, first.Seen())
		}
		if out := script(t, h, "ls /etc/latchkey/users "+
			"/var/lib/latchkey/users"); strings.Contains(out, u.Name+"\n") {
			t.Errorf("got %s, want nothing of %s", out, u.Name)
		}
		second := begin()
		if !strings.Contains(second.Seen(), "Delete the entry that you made in the app before") {
			t.Errorf("got %s, want what to delete", second.Seen())
		}
	})
}
