package main

import (
	"fmt"

	"latchkey/sshd/suite"
	"latchkey/sshd/transcript"
)

// trustConfig has sshd ask for a key, and then PAM for the code.
var trustConfig = suite.Config{
	Name: "sshd-with-key", Stack: suite.OnlyCode, Options: suite.KeyAndCode.Options,
}

// byTrust has a user trust a computer, and logs in from it again.
func (d demo) byTrust(alice *suite.User) error {
	const table = "[trust]\ndays = 30\n"
	d.Say("Root lets users trust a computer: latchkey.toml says [trust] days = 30. Alice logs in " +
		"with her laptop's SSH key, at an sshd that asks for a key first.")
	if _, err := d.host.Exec(table, "/usr/bin/tee", "/etc/latchkey/latchkey.toml"); err != nil {
		return err
	}
	server, err := d.host.Serve(trustConfig)
	if err != nil {
		return err
	}
	defer server.Stop()
	next := func() string { return alice.CodeAt(1) }
	err = d.keyLogin(server, alice, transcript.Code(next), transcript.On(`\[y/N\] `, "y"))
	if err != nil {
		return err
	}
	d.Say("She logs in again with that key. For 30 days she is asked for nothing more.")
	if err := d.keyLogin(server, alice); err != nil {
		return err
	}
	said, err := d.host.Exec("", "/usr/bin/enroll", "trust", alice.Name)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.Out, "\nroot@%s:~# enroll trust %s\n%s", d.host.Suite, alice.Name, said)
	return nil
}

// keyLogin logs in with the suite's key and shows the terminal.
func (d demo) keyLogin(server *suite.Server, u *suite.User, typed ...transcript.Line) error {
	client, err := server.Terminal(suite.OpenSSH{User: u.Name, Key: true}, "host", "whoami")
	if err != nil {
		return err
	}
	defer client.Close()
	return d.Converse(client, fmt.Sprintf("ssh %s@host whoami", u.Name), true, typed)
}
