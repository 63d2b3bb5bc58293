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
	"strings"

	"latchkey/pam/twilio/standin"
	"latchkey/sshd/suite"
	"latchkey/sshd/transcript"
)

func main() { os.Exit(transcript.Main("demo", show)) }

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
	d := demo{transcript.Transcript{Out: out}, h, server}
	return d.play()
}

func (d demo) play() error {
	alice, err := d.host.Named("alice")
	if err != nil {
		return err
	}
	d.Say("Root sets up the second factor of an account:")
	if err := d.Enroll(d.host, d.host.Suite, alice); err != nil {
		return err
	}
	code := alice.Code()
	d.Say("Alice logs in. Her app shows %s.", code)
	if err := d.login(alice, true, transcript.Code(code)); err != nil {
		return err
	}
	d.Say("Somebody who knows her password has watched her type %s, and types it again, "+
		"and again:", code)
	again := transcript.Code(code)
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
	d.Say("Root lets users set up their app inside their first login: in latchkey.toml it says "+
		"%s. Bob logs in.", rule)
	_, err := d.host.Exec(rule+"\n", "/usr/bin/tee", "/etc/latchkey/latchkey.toml")
	if err != nil {
		return err
	}
	bob, err := d.host.Named("bob")
	if err != nil {
		return err
	}
	return d.login(bob, true, transcript.On(`shows now. Verification code: `, "small"),
		transcript.On(`shows now. Verification code: `, bob.CodeOf),
		transcript.On(`when you have them: `, ""))
}

// bySMS adds a phone and logs in with a code that a stand-in for Twilio Verify would have sent.
func (d demo) bySMS(alice *suite.User) error {
	verify, err := d.host.Verify(standin.Options{})
	if err != nil {
		return err
	}
	defer verify.Close()
	d.Say("Root adds a phone. (What answers for Twilio Verify here is a stand-in on this " +
		"machine: nothing is sent.)")
	number := "+15551231234"
	argv := []string{
		"/usr/bin/enroll", "add", "phone", "--user", alice.Name, "--number", number, "--yes",
	}
	if _, err := d.Root(d.host, d.host.Suite, "", argv...); err != nil {
		return err
	}
	d.Say("Alice's app is out of reach. She asks for an SMS.")
	return d.login(alice, true, transcript.Code("sms"),
		transcript.Code(func() string { return verify.Code(number) }))
}

// log shows the audit lines.
func (d demo) log() error {
	d.Say("What the administrator finds in the log:")
	if err := d.Log(d.host, "", "alice", 6); err != nil {
		return err
	}
	return d.Log(d.host, "", "bob", 1)
}
