// Demo shows logins from beginning to end. It starts a container with a real sshd, sets up the
// second factor, and logs in with OpenSSH's client, by app, by SMS, by a security key of software,
// and from a trusted computer. It also shows the first login of a user who sets up the app during
// that login.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"latchkey/pam/twilio/standin"
	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

func main() { os.Exit(run(os.Stdout, os.Stderr)) }

func run(out, progress io.Writer) int {
	if err := show(out, progress); err != nil {
		fmt.Fprintln(progress, "demo: error:", err)
		return 1
	}
	return 0
}

func show(out, progress io.Writer) (err error) {
	s, err := suite.Open(progress)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	h, err := s.Host(suite.Debian13)
	if err != nil {
		return err
	}
	version, err := h.Exec("", "/usr/bin/dpkg-query", "--show", "openssh-server")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "A %s container (%s), run by %s.\n", h.Name,
		strings.Join(strings.Fields(version), " "), s.Engine)
	config := suite.PasswordAndCode
	config.Name = "sshd"
	server, err := h.Server(config)
	if err != nil {
		return err
	}
	stack, err := h.Exec("", "/bin/grep", "^auth", "/etc/pam.d/sshd")
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "Its /etc/pam.d/sshd says:\n%s", stack)
	d := demo{out, h, server}
	return d.play()
}

func (d demo) play() error {
	alice, err := d.host.Named("alice")
	if err != nil {
		return err
	}
	if err := d.enroll(alice); err != nil {
		return err
	}
	code := alice.Code()
	d.say("Alice logs in. Her app shows %s.", code)
	if err := d.login(alice, true, line{appPrompt, code}); err != nil {
		return err
	}
	d.say("Somebody who knows her password has watched her type %s, and types it again, "+
		"and again:", code)
	again := line{appPrompt, code}
	if err := d.login(alice, false, again, again, again); err != nil {
		return err
	}
	if err := d.bySMS(alice); err != nil {
		return err
	}
	if err := d.bySecurityKey(alice); err != nil {
		return err
	}
	if err := d.byTrust(alice); err != nil {
		return err
	}
	if err := d.firstLogin(); err != nil {
		return err
	}
	return d.log()
}

// firstLogin lets a user enroll during the login.
func (d demo) firstLogin() error {
	const rule = `unenrolled = "enroll"`
	d.say("Root lets users set up their app inside their first login: in latchkey.toml it says "+
		"%s. Bob logs in.", rule)
	_, err := d.host.Exec(rule+"\n", "/usr/bin/tee", "/etc/latchkey/latchkey.toml")
	if err != nil {
		return err
	}
	bob, err := d.host.Named("bob")
	if err != nil {
		return err
	}
	return d.login(bob, true, line{`shows now. Verification code: `, "small"},
		line{`shows now. Verification code: `, bob.CodeOf}, line{`when you have them: `, ""})
}

const appPrompt = `Verification code: `

// bySMS adds a phone and logs in with a code that a stand-in for Twilio Verify would have sent.
func (d demo) bySMS(alice *suite.User) error {
	verify, err := d.host.Verify(standin.Options{})
	if err != nil {
		return err
	}
	defer verify.Close()
	d.say("Root adds a phone. (What answers for Twilio Verify here is a stand-in on this " +
		"machine: nothing is sent.)")
	number := "+15551231234"
	argv := []string{
		"/usr/bin/enroll", "add", "phone", "--user", alice.Name, "--number", number, "--yes",
	}
	said, err := d.host.Exec("", argv...)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "root@%s:~# enroll %s\n%s", d.host.Suite, strings.Join(argv[1:], " "), said)
	d.say("Alice's app is out of reach. She asks for an SMS.")
	return d.login(alice, true, line{appPrompt, "sms"},
		line{appPrompt, func() string { return verify.Code(number) }})
}

// line is what is typed after an expected text: a string, or a function that computes it when it
// is needed from what was seen.
type line struct {
	after string
	typed any
}

func (l line) text(seen string) (string, error) {
	switch typed := l.typed.(type) {
	case func() string:
		return typed(), nil
	case func(string) (string, error):
		return typed(seen)
	}
	return l.typed.(string), nil
}

// enroll lets root set up Alice's app, and takes the secret from the output.
func (d demo) enroll(alice *suite.User) error {
	argv := []string{
		"/usr/bin/enroll", "add", "totp", "--user", alice.Name, "--label", "phone", "--yes",
	}
	d.say("Root sets up the second factor of an account:")
	uri, err := d.host.Exec("", argv...)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "root@%s:~# enroll %s\n%s", d.host.Suite, strings.Join(argv[1:], " "), uri)
	m := regexp.MustCompile(`[?&]secret=([A-Z2-7]+)`).FindStringSubmatch(uri)
	if m == nil {
		return fmt.Errorf("no secret in %q", uri)
	}
	alice.Secret = m[1]
	return nil
}

// login types at OpenSSH's client, the password first, and shows the terminal. It is an error if
// the outcome is not the expected one.
func (d demo) login(u *suite.User, welcome bool, typed ...line) error {
	client, err := d.server.Terminal(suite.OpenSSH{User: u.Name}, "host")
	if err != nil {
		return err
	}
	defer client.Close()
	talk := append([]line{{`Password: `, suite.Password}}, typed...)
	if welcome {
		talk = append(talk, line{`\$ `, "whoami"}, line{`\$ `, "exit"})
	}
	return d.converse(client, fmt.Sprintf("ssh %s@host", u.Name), welcome, talk)
}

// converse types at a client that a command has started, and shows its terminal. It is an error if
// the outcome is not the expected one.
func (d demo) converse(client *terminal.Terminal, command string, welcome bool,
	talk []line) error {
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
	fmt.Fprintf(d.out, "$ %s\n%s\n[ssh ended with exit status %d]\n", command,
		strings.TrimSpace(client.Seen()), exit)
	if welcome != (exit == 0) {
		return fmt.Errorf("exit status %d was not expected", exit)
	}
	return nil
}

// log shows the audit lines.
func (d demo) log() error {
	d.say("What the administrator finds in the log:")
	for _, of := range []struct {
		user string
		n    int
	}{{"alice", 6}, {"bob", 1}} {
		lines, err := d.host.Audit(of.user, of.n)
		for _, entry := range lines {
			fmt.Fprintln(d.out, entry)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
