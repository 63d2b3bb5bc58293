package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/suite"
	"latchkey/sshd/suite/wire"
	"latchkey/sshd/terminal"
)

// at starts a program on a terminal inside the host and gives it the password.
func (h *recipeHost) at(t *testing.T, password string, argv ...string) *terminal.Terminal {
	t.Helper()
	term, err := terminal.New(h.Shell(argv...))
	must(t, err)
	t.Cleanup(term.Close)
	must(t, term.Expect(`[Pp]assword`))
	must(t, term.Type(password))
	return term
}

// command is a program that runs /usr/bin/id as another user, and the user whose code it wants.
type command struct {
	argv    []string
	of      *suite.User // whose code
	to      string      // the user as whom id runs
	refused string      // what it says in the end
}

// try has the command refused for a wrong password and for wrong codes, in parallel because
// programs wait before they say so, and then done with the right code.
func (c command) try(t *testing.T, h *recipeHost) {
	t.Helper()
	password, codes := h.at(t, "not it", c.argv...), h.at(t, suite.Password, c.argv...)
	for _, code := range []string{c.of.WrongCode(), "", c.of.WrongCode()} {
		must(t, codes.Expect(`From your app.*Verification code: `))
		must(t, codes.Type(code))
	}
	must(t, codes.Expect(c.refused))
	must(t, password.Expect(c.refused))
	codes.Close()
	if strings.Contains(codes.Seen(), "uid=") || strings.Contains(password.Seen(), "code") {
		t.Errorf("after wrong codes: %q\nafter a wrong password: %q", codes.Seen(),
			password.Seen())
	}
	term := h.at(t, suite.Password, c.argv...)
	must(t, term.Expect(`From your app.*Verification code: `))
	must(t, term.Type(c.of.Code()))
	must(t, term.Expect(`uid=\d+\(`+c.to+`\)`))
}

// piped runs a command without a terminal, with lines on its standard input, and reports whether
// id ran.
func (h *recipeHost) piped(t *testing.T, input string, argv ...string) bool {
	t.Helper()
	reply, err := h.Run(wire.Request{Argv: argv, Stdin: []byte(input)})
	must(t, err)
	done := strings.Contains(string(reply.Stdout), "uid=")
	if done != (reply.Exit == 0) {
		t.Errorf("%+v", reply)
	}
	return done
}

func sudoRecipe(t *testing.T, h *recipeHost) {
	h.healthy(t, "sudo", "sudo-i")
	for name, argv := range map[string][]string{
		"sudo":    {"/usr/bin/sudo", "/usr/bin/id"},
		"sudo -i": {"/usr/bin/sudo", "-i", "/usr/bin/id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := enrolled(t, h.Host)
			command{as(u, argv...), u, "root", "Sorry, try again"}.try(t, h)
		})
	}
	t.Run("without a terminal", func(t *testing.T) {
		t.Parallel()
		u := enrolled(t, h.Host)
		if h.piped(t, "", as(u, "/usr/bin/sudo", "/usr/bin/id")...) {
			t.Error("allowed without a terminal")
		}
		piped := as(u, "/usr/bin/sudo", "-S", "/usr/bin/id")
		if h.piped(t, suite.Password+"\n", piped...) ||
			h.piped(t, suite.Password+"\n"+u.WrongCode()+"\n", piped...) {
			t.Error("allowed by sudo -S without a code or with a wrong one")
		}
		if !h.piped(t, suite.Password+"\n"+u.Code()+"\n", piped...) {
			t.Errorf("sudo -S with password and code is denied\n%s", logOf(h.Host, u.Name))
		}
	})
	t.Run("who has not enrolled", func(t *testing.T) {
		t.Parallel()
		u := user(t, h.Host)
		if h.piped(t, suite.Password+"\n", as(u, "/usr/bin/sudo", "-S", "/usr/bin/id")...) {
			t.Error("allowed")
		}
		audited(t, h.Host, u.Name, 1, "verdict=deny", "reason=unenrolled", `service="sudo"`)
	})
}

// suRefused is what su says after a wrong password, or after wrong codes.
const suRefused = "Authentication failure|maximum number of retries"

func suRecipe(t *testing.T, h *recipeHost) {
	h.healthy(t, "su", "su-l")
	t.Run("su", func(t *testing.T) {
		t.Parallel()
		by, to := user(t, h.Host), enrolled(t, h.Host)
		command{as(by, "/bin/su", "-c", "/usr/bin/id", to.Name), to, to.Name, suRefused}.try(t, h)
	})
	t.Run("su - to root", func(t *testing.T) {
		t.Parallel()
		command{
			as(user(t, h.Host), "/bin/su", "-", "-c", "/usr/bin/id"), h.root, "root", suRefused,
		}.try(t, h)
	})
	t.Run("without a terminal", func(t *testing.T) {
		t.Parallel()
		by, to := user(t, h.Host), enrolled(t, h.Host)
		argv := as(by, "/bin/su", "-c", "/usr/bin/id", to.Name)
		if h.piped(t, "", argv...) || h.piped(t, suite.Password+"\n", argv...) {
			t.Error("allowed without a code")
		}
	})
	t.Run("who is root already", func(t *testing.T) {
		t.Parallel()
		if !h.piped(t, "", "/bin/su", "-c", "/usr/bin/id", user(t, h.Host).Name) {
			t.Error("root is asked")
		}
	})
}
