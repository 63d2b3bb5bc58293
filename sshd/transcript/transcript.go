// Package transcript shows what people type and see, for the demonstrations.
package transcript

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// Transcript is where it is shown.
type Transcript struct{ Out io.Writer }

// Main runs a demonstration and returns its exit status.
func Main(name string, show func(out, progress io.Writer) error) int {
	if err := show(os.Stdout, os.Stderr); err != nil {
		fmt.Fprintf(os.Stderr, "%s: error: %v\n", name, err)
		return 1
	}
	return 0
}

// Say explains what comes next.
func (t Transcript) Say(format string, args ...any) {
	fmt.Fprintf(t.Out, "\n── "+format+"\n\n", args...)
}

// Line is what is typed after an expected text: a string, or a function that computes it when it
// is needed from what was seen.
type Line struct {
	after string
	typed any
}

// On types a line as soon as the expected text, a regular expression, was seen.
func On(expected string, typed any) Line { return Line{expected, typed} }

// Code types a line at a prompt for a code.
func Code(typed any) Line { return On(`Verification code: `, typed) }

func (l Line) text(seen string) (string, error) {
	switch typed := l.typed.(type) {
	case func() string:
		return typed(), nil
	case func(string) (string, error):
		return typed(seen)
	}
	return l.typed.(string), nil
}

// Root runs a command inside as root, and shows it and what it printed.
func (t Transcript) Root(h *suite.Host, machine, stdin string, argv ...string) (string, error) {
	said, err := h.Exec(stdin, argv...)
	argv[0] = argv[0][strings.LastIndex(argv[0], "/")+1:]
	fmt.Fprintf(t.Out, "root@%s:~# %s\n%s", machine, strings.Join(argv, " "), said)
	return said, err
}

// Enroll lets root set up the user's app, and takes the secret from the output.
func (t Transcript) Enroll(h *suite.Host, machine string, u *suite.User) error {
	uri, err := t.Root(h, machine, "", "/usr/bin/enroll", "add", "totp", "--user", u.Name,
		"--label", "phone", "--yes")
	if err != nil {
		return err
	}
	m := regexp.MustCompile(`[?&]secret=([A-Z2-7]+)`).FindStringSubmatch(uri)
	if m == nil {
		return fmt.Errorf("no secret in %q", uri)
	}
	u.Secret = m[1]
	return nil
}

// Login types at OpenSSH's client, the password first, and shows the terminal; the host is called
// as said. It is an error if the outcome is not the expected one.
func (t Transcript) Login(s *suite.Server, host string, u *suite.User, welcome bool,
	typed ...Line) error {
	client, err := s.Terminal(suite.OpenSSH{User: u.Name}, "host")
	if err != nil {
		return err
	}
	defer client.Close()
	talk := append([]Line{{`Password: `, suite.Password}}, typed...)
	if welcome {
		talk = append(talk, Line{`\$ `, "whoami"}, Line{`\$ `, "exit"})
	}
	return t.Converse(client, fmt.Sprintf("ssh %s@%s", u.Name, host), welcome, talk)
}

// Converse types at a client that a command has started, and shows its terminal. It is an error if
// the outcome is not the expected one.
func (t Transcript) Converse(client *terminal.Terminal, command string, welcome bool,
	talk []Line) error {
	for _, l := range talk {
		if err := client.Expect(l.after); err != nil {
			return err
		}
		text, err := l.text(client.Seen())
		if err != nil {
			return err
		}
		if err := client.Type(text); err != nil {
			return err
		}
	}
	exit, err := client.Exit()
	if err != nil {
		return err
	}
	fmt.Fprintf(t.Out, "$ %s\n%s\n[ssh ended with exit status %d]\n", command,
		strings.TrimSpace(client.Seen()), exit)
	if welcome != (exit == 0) {
		return fmt.Errorf("exit status %d was not expected", exit)
	}
	return nil
}

// Log shows the audit lines of a user on a host as soon as there are n.
func (t Transcript) Log(h *suite.Host, prefix, user string, n int) error {
	lines, err := h.Audit(user, n)
	for _, entry := range lines {
		fmt.Fprintln(t.Out, prefix+entry)
	}
	return err
}
