package main

import (
	"fmt"
	"os/exec"
	"strings"

	"latchkey/sshd/terminal"
)

// password is everyone's.
const password = "correct horse battery"

// answer is what is typed where a text appears.
type answer struct{ at, typed string }

// where a login asks.
const (
	forPassword = `[Pp]assword: `
	forCode     = `erification code: `
)

// session logs in with a password and what else is asked, and runs a command, whose output must
// contain what is wanted.
func session(user, command, want string, answers ...answer) error {
	t, err := client(user, command)
	if err != nil {
		return err
	}
	defer t.Close()
	return converse(t, want, append([]answer{{forPassword, password}}, answers...)...)
}

func client(user, command string) (*terminal.Terminal, error) {
	return terminal.New([]string{"ssh", "-tt", "-o", "StrictHostKeyChecking=no", "-o",
		"UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "-o", "PubkeyAuthentication=no",
		user + "@127.0.0.1", command})
}

// converse answers what a program asks, waits for what is wanted and for the end.
func converse(t *terminal.Terminal, want string, answers ...answer) error {
	for _, a := range answers {
		if err := t.Expect(a.at); err != nil {
			return err
		}
		if err := t.Type(a.typed); err != nil {
			return err
		}
	}
	if err := t.Expect(want); err != nil {
		return err
	}
	_, err := t.Exit()
	return err
}

// root runs a command as root and wants it to succeed and to print something.
func root(want, stdin string, argv ...string) error {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
	}
	if !strings.Contains(string(out), want) {
		return fmt.Errorf("%s: got %s, want %q", strings.Join(argv, " "), out, want)
	}
	return nil
}

// each does several things until one fails.
func each(all ...func() error) error {
	for _, do := range all {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

func does(want, stdin string, argv ...string) func() error {
	return func() error { return root(want, stdin, argv...) }
}
