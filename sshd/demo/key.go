package main

import (
	"fmt"
	"os"
	"strings"

	"latchkey/sshd/softkey"
	"latchkey/sshd/suite"
)

// keyConfig has sshd ask for a key that the user's own file lists, and then PAM for the code.
var keyConfig = suite.Config{Name: "sshd-with-keys", Stack: suite.OnlyCode, Options: []string{
	"PubkeyAuthentication yes", "AuthenticationMethods publickey,keyboard-interactive",
	"AuthorizedKeysFile /home/%u/.ssh/authorized_keys", "PubkeyAuthOptions touch-required",
}}

// bySecurityKey enrolls a security key and logs in with it.
func (d demo) bySecurityKey(alice *suite.User) error {
	d.Say("Root adds a security key, by its public key. (It is a program in this demonstration, " +
		"which says of itself that it was touched: the type of a key proves nothing, see " +
		"require_attestation.)")
	key, err := softkey.NewEd25519()
	if err != nil {
		return err
	}
	home := "/home/" + alice.Name + "/.ssh"
	_, err = d.host.Script(fmt.Sprintf("set -e\nmkdir %[1]s\n"+
		"echo '%[2]s' >%[1]s/authorized_keys\nchown -R %[3]s:%[3]s %[1]s\n",
		home, key.Line(), alice.Name))
	if err != nil {
		return err
	}
	argv := []string{
		"/usr/bin/enroll", "add", "key", "--user", alice.Name, "--label", "yubikey", "--yes",
	}
	said, err := d.host.Exec(key.Line()+"\n", argv...)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.Out, "root@%s:~# enroll %s <id_ed25519_sk.pub\n%s", d.host.Suite,
		strings.Join(argv[1:], " "), said)
	d.Say("Alice touches it. She types nothing, here at an sshd that asks for a key first.")
	return d.touch(alice, key)
}

// touch logs in with a key alone, and shows the terminal.
func (d demo) touch(alice *suite.User, key *softkey.Key) error {
	dir, err := os.MkdirTemp("", "latchkey-demo-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	agent, err := softkey.NewAgent(key, dir)
	if err != nil {
		return err
	}
	defer agent.Close()
	server, err := d.host.Serve(keyConfig)
	if err != nil {
		return err
	}
	defer server.Stop()
	client := suite.OpenSSH{
		User: alice.Name, Options: agent.Options, Methods: "publickey,keyboard-interactive",
	}
	terminal, err := server.Terminal(client, "host", "whoami")
	if err != nil {
		return err
	}
	defer terminal.Close()
	exit, err := terminal.Exit()
	if err != nil {
		return err
	}
	fmt.Fprintf(d.Out, "$ ssh %s@host whoami\n%s\n[ssh ended with exit status %d]\n",
		alice.Name, strings.TrimSpace(terminal.Seen()), exit)
	if exit != 0 {
		return fmt.Errorf("exit status %d was not expected", exit)
	}
	return nil
}
