package sshd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// login starts /bin/login with the password typed.
func (h *recipeHost) login(t *testing.T, u *suite.User, password string) *terminal.Terminal {
	t.Helper()
	return h.at(t, password, "/bin/login", u.Name)
}

// comes expects a shell of the user, and leaves it.
func comes(t *testing.T, term *terminal.Terminal, u *suite.User) {
	t.Helper()
	must(t, term.Expect(`[$#] `)) // login discards what was typed before its shell reads
	must(t, term.Type("id; exit"))
	must(t, term.Expect(`uid=\d+\(`+u.Name+`\)`))
}

// withCode is a login of a new user by password and code.
func (h *recipeHost) withCode(t *testing.T) {
	t.Helper()
	u := enrolled(t, h.Host)
	term := h.login(t, u, suite.Password)
	must(t, term.Expect(`From your app.*Verification code: `))
	must(t, term.Type(u.Code()))
	comes(t, term, u)
}

// rootAlone is a login of root by the password alone, which the log shows as such.
func (h *recipeHost) rootAlone(t *testing.T) {
	t.Helper()
	before := len(h.ofRoot(t, 0))
	term := h.login(t, h.root, suite.Password)
	comes(t, term, h.root)
	if strings.Contains(term.Seen(), "code") {
		t.Errorf("root was asked for a code: %q", term.Seen())
	}
	h.logged(t, before, "verdict=allow", "reason=exempt")
}

// logged checks the first line about root at the console after so many others.
func (h *recipeHost) logged(t *testing.T, before int, words ...string) {
	t.Helper()
	line := h.ofRoot(t, before+1)[before]
	for _, word := range words {
		if !strings.Contains(line, " "+word+" ") {
			t.Errorf("the log does not say %s: %s", word, line)
		}
	}
}

// ofRoot returns the lines in the log about root at the console, as soon as there are at least n.
func (h *recipeHost) ofRoot(t *testing.T, n int) (about []string) {
	t.Helper()
	must(t, poll.Until(fmt.Sprintf("%d lines in the log", n), time.Minute, func() error {
		lines, err := h.Log()
		about = slices.DeleteFunc(lines, func(line string) bool {
			return !strings.Contains(line, `latchkey: verdict=`) ||
				!strings.Contains(line, `user="root" service="login"`)
		})
		if err == nil && len(about) < n {
			err = fmt.Errorf("there are %d", len(about))
		}
		return err
	}))
	return about
}

// turnedAway checks that login lets no one in, and whether it has asked for a code.
func turnedAway(t *testing.T, term *terminal.Terminal, asked bool) {
	t.Helper()
	must(t, term.Expect(`Login incorrect|[Mm]aximum number of`))
	term.Close()
	seen := term.Seen()
	if strings.Contains(seen, "From your app") != asked || strings.ContainsAny(seen, "$#") {
		t.Errorf("asked for a code or not, or in: %q", seen)
	}
}

func consoleRecipe(t *testing.T, h *recipeHost) {
	h.healthy(t, "login")
	u, stranger := enrolled(t, h.Host), user(t, h.Host)
	// In parallel: login waits three seconds before it says no.
	wrong, unknown := h.login(t, h.root, "not it"), h.login(t, u, "not it")
	codes, unenrolled := h.login(t, u, suite.Password), h.login(t, stranger, suite.Password)
	for _, code := range []string{u.WrongCode(), "", u.WrongCode()} {
		must(t, codes.Expect(`From your app.*Verification code: `))
		must(t, codes.Type(code))
	}
	turnedAway(t, wrong, false)
	turnedAway(t, unknown, false)
	turnedAway(t, codes, true)
	turnedAway(t, unenrolled, false)
	audited(t, h.Host, u.Name, 1, "verdict=deny", "reason=wrong", `service="login"`)
	audited(t, h.Host, stranger.Name, 1, "verdict=deny", "reason=unenrolled", `service="login"`)
	h.withCode(t)
	h.rootAlone(t)
	rootAtThreeInTheMorning(t, h)
}

// rootAtThreeInTheMorning is what the recipe's page says about a broken latchkey, line by line.
func rootAtThreeInTheMorning(t *testing.T, h *recipeHost) {
	h.follow(t, "sudo")
	script(t, h.Host, "echo 'tris = 5' >>/etc/latchkey/latchkey.toml")
	u := enrolled(t, h.Host)
	if h.piped(t, suite.Password+"\n"+u.Code()+"\n",
		as(u, "/usr/bin/sudo", "-S", "/usr/bin/id")...) {
		t.Error("with a broken policy sudo lets in")
	}
	h.rootAlone(t)
	h.withCode(t)
	script(t, h.Host, "rm /etc/latchkey/latchkey.toml")
	h.rootAlone(t)
	h.withCode(t)
	script(t, h.Host, "mv /var/lib/latchkey/key /var/lib/latchkey/users /root/")
	h.rootAlone(t)
	script(t, h.Host, "mv /root/key /root/users /var/lib/latchkey/")
	script(t, h.Host, "echo 'tris = 5' >>/etc/latchkey/console.toml")
	before := len(h.ofRoot(t, 0))
	turnedAway(t, h.login(t, h.root, suite.Password), false)
	h.logged(t, before, "verdict=deny", "reason=config")
}
