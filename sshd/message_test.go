package sshd_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

const helpDesk = "Help desk: +1 555 0100"

// telling gives a server whose policy says whom to ask, and denies these users by a rule.
func telling(t *testing.T, h *suite.Host, name string, denied ...*suite.User) *suite.Server {
	t.Helper()
	path := "/etc/latchkey/" + name + ".toml"
	var names []string
	for _, u := range denied {
		names = append(names, fmt.Sprintf("%q", u.Name))
	}
	_, err := h.Exec(fmt.Sprintf("help = %q\n[limits]\nfailures = \"4/10m\"\n[[rule]]\n"+
		"users = [%s]\n"+
		"require = \"deny\"\n", helpDesk, strings.Join(names, ", ")),
		"/usr/bin/install", "-m", "644", "/dev/stdin", path)
	must(t, err)
	stack := suite.Stack{"requisite pam_unix.so nodelay", "required pam_latchkey.so conf=" + path}
	return ownServer(t, h, suite.Config{Name: name, Stack: stack})
}

// ownWords are what clients say by themselves when a login ends.
var ownWords = regexp.MustCompile(`Permission denied \(|FATAL ERROR: |dbclient: |closed by `)

// typedCode is what the user typed behind a prompt.
var typedCode = regexp.MustCompile(`[0-9]{6}$`)

// fits80 checks that what was seen is ASCII in lines of 80 columns.
func fits80(t *testing.T, seen string) {
	t.Helper()
	for line := range strings.SplitSeq(seen, "\n") {
		line = typedCode.ReplaceAllString(line, "")
		wide := len(strings.TrimRight(line, " ")) > 80 && !ownWords.MatchString(line)
		if wide || strings.ContainsFunc(line, func(c rune) bool { return c > '~' }) {
			t.Errorf("got %q, want 80 columns of ASCII", line)
		}
	}
}

// asksAgain is what a client shows that asks for the password.
var asksAgain = regexp.MustCompile(`[Pp]assword: `)

func TestUserWhomNoCodeHelpsIsToldSoAndNotAskedForThePasswordAgain(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		users, err := h.Users(2 * len(clients))
		must(t, err)
		s := telling(t, h, "hopeless", users[:len(clients)]...)
		for i, client := range clients {
			locked, unenrolled := enrolled(t, h), users[len(clients)+i]
			for range 2 {
				denied(t, s, suite.Attempt{User: locked.Name, Password: suite.Password,
					Codes: locked.WrongCodes()})
			}
			for _, c := range []struct {
				user *suite.User
				says string
			}{
				{users[i], `You may not log in here\.`},
				{unenrolled, `No second factor is set up for this account\. Ask your ` +
					`administrator\.`},
				{locked, `Too many wrong codes\. Try again in \d+ minutes\.`},
			} {
				t.Run(client.name+", "+c.says, func(t *testing.T) {
					term, err := client.start(t, s, c.user.Name)
					must(t, err)
					t.Cleanup(term.Close)
					typed(t, term, `Password: `, suite.Password)
					must(t, term.Expect(c.says+`[\s|]+`+regexp.QuoteMeta(helpDesk)))
					exit, err := term.Exit()
					if asked := len(asksAgain.FindAllString(term.Seen(), -1)); err != nil ||
						exit == 0 || asked != 1 {
						t.Errorf("exit status %d, %v, asked %d times for the password: %s", exit,
							err, asked, term.Seen())
					}
					fits80(t, term.Seen())
				})
			}
		}
	})
}

// The twin: the clients would ask for the password again, if sshd let them.
func TestAfterAWrongPasswordEachClientAsksAgain(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := telling(t, h, "hopeful", user(t, h))
		for _, client := range clients {
			t.Run(client.name, func(t *testing.T) {
				term, err := client.start(t, s, enrolled(t, h).Name)
				must(t, err)
				t.Cleanup(term.Close)
				typed(t, term, `Password: `, "wrong")
				typed(t, term, `Password: `, suite.Password)
				must(t, term.Expect(`Verification code: `))
			})
		}
	})
}

func TestAfterTheLastRefusalEachClientShowsWhatMayHelp(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := telling(t, h, "advice", user(t, h))
		for _, client := range clients {
			t.Run(client.name, func(t *testing.T) {
				u := enrolled(t, h)
				script(t, h, "enroll codes --yes --user "+u.Name)
				term, err := client.start(t, s, u.Name)
				must(t, err)
				t.Cleanup(term.Close)
				typed(t, term, `Password: `, suite.Password)
				for _, answer := range []string{"?", "sms", u.CodeAt(-20), u.WrongCode(),
					u.WrongCode()} {
					typed(t, term, `From your app, or a recovery code\. Verification code: `,
						answer)
				}
				must(t, term.Expect(`What may help:[\s|]+Your phone's clock is about (600|630|660) `+
					`seconds slow, or this host's `+
					`is fast\.[\s|]+Set the phone's clock to the network's time\.[\s|]+A `+
					`recovery code works in `+
					`place of any other code\.[\s|]+`+regexp.QuoteMeta(helpDesk)))
				exit, err := term.Exit()
				if asked := len(asksAgain.FindAllString(term.Seen(), -1)); err != nil ||
					exit == 0 || asked != 1 {
					t.Errorf("exit status %d, %v, asked %d times for the password: %s", exit,
						err, asked, term.Seen())
				}
				fits80(t, term.Seen())
				audited(t, h, u.Name, 1, "verdict=deny", "reason=wrong", "tries=3")
			})
		}
	})
}
