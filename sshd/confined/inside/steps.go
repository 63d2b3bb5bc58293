package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"latchkey/pam/twilio/standin"
	"latchkey/sshd/suite/app"
	"latchkey/sshd/terminal"
)

// number is dave's phone's.
const number = "+15550001234"

// steps in this order.
var steps = []step{
	{"the profiles are enforced", enforced},
	{"they only log, and are enforced again", switched},
	{"a fresh machine", fresh},
	{"root enrolls users", enrolled},
	{"activate", does("This is undone at", "", "enroll", "activate", "--yes")},
	{"a login with a token confirms the activation", func() error {
		return session("alice", "sudo enroll activate --confirm", "onfirmed|in force",
			answer{forCode, token()})
	}},
	{"a wrong code, then a right one", func() error {
		return session("alice", "echo in$((0+1))side", "in1side", answer{forCode, "000000"},
			answer{"Not accepted.*" + forCode, token()})
	}},
	{"a first login", firstLogin},
	{"a code by phone", byPhone},
	{"su", su},
	{"doctor", func() error { _ = root("", "", "enroll", "doctor"); return nil }},
	{"a user's commands", own},
	{"root's commands", administered},
	{"the program of notify", func() error { return has("/tmp/latchkey-told") }},
	{"a fleet", fleet},
	{"deactivate", does("", "", "enroll", "deactivate")},
	{"enroll where common-auth has the module", func() error {
		return each(does("", "", "pam-auth-update", "--enable", "latchkey"),
			tested,
			does("", "", "pam-auth-update", "--disable", "latchkey"))
	}},
	{"no one confirms: systemd's service undoes it", unconfirmed},
	{"a socket starts sshd: confirmed, and undone", bySocket},
	{"activate, before the machine is started again", pending},
}

func fresh() error {
	for _, name := range []string{"alice", "bob", "carol", "dave"} {
		_ = root("", "", "useradd", "-m", "-s", "/bin/bash", name)
		if err := root("", name+":"+password+"\n", "chpasswd"); err != nil {
			return err
		}
	}
	return each(
		put("/etc/sudoers.d/confined", 0o440, "alice ALL=(ALL) NOPASSWD: /usr/bin/enroll\n"),
		put("/etc/latchkey/latchkey.toml", 0o644, "unenrolled = \"enroll\"\n[notify]\n"+
			"program = \"/usr/local/sbin/tell\"\n"),
		put("/usr/local/sbin/tell", 0o755, "#!/bin/sh\numask 0\ncat >>/tmp/latchkey-told\nid\n"),
		put("/root/secret", 0o600, secret+"\n"))
}

func put(path string, mode os.FileMode, text string) func() error {
	return func() error {
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			return err
		}
		return os.Chmod(path, mode)
	}
}

func has(path string) error { _, err := os.Stat(path); return err }

func enrolled() error {
	return each(
		does("otpauth", "", "enroll", "add", "hotp", "--user", "alice", "--label", "token",
			"--secret-file", "/root/secret", "--yes"),
		does("otpauth", secret, "enroll", "add", "totp", "--user", "bob", "--label", "app",
			"--secret-file", "-", "--yes"),
		does("alice", "", "enroll", "list"))
}

// su asks for bob's password and code, in alice's session.
func su() error {
	return each(does("", "", "sed", "-i", "s/^@include common-auth.*/&\\nauth required "+
		"pam_latchkey.so/", "/etc/pam.d/su"),
		func() error {
			return session("alice", "su bob -c id", "uid=.*bob", answer{forCode, token()},
				answer{forPassword, password}, answer{forCode, bypass()})
		})
}

// firstLogin is carol's: she sets up an app, and gets recovery codes.
func firstLogin() error {
	t, err := client("carol", "echo in$((0+1))side")
	if err != nil {
		return err
	}
	defer t.Close()
	if err := t.Expect(forPassword); err != nil {
		return err
	}
	if err := t.Type(password); err != nil {
		return err
	}
	if err := t.Expect(forCode); err != nil {
		return err
	}
	shown, err := app.Read(t.Seen())
	if err != nil {
		return fmt.Errorf("%w: %q", err, t.Seen())
	}
	if err := t.Type(app.Code(shown, time.Now())); err != nil {
		return err
	}
	return converse(t, "in1side", answer{"when you have them: ", ""})
}

// byPhone has a stand-in for Twilio on this machine.
func byPhone() error {
	v, err := standin.Start(standin.Options{})
	if err != nil {
		return err
	}
	defer v.Close()
	defer os.Remove("/etc/latchkey/twilio.toml") // activate refuses a Twilio that is not there
	const authority = "/etc/latchkey/verify-ca.pem"
	if err := each(put(authority, 0o644, v.Settings().CA),
		put("/etc/latchkey/twilio.toml", 0o600, v.TOML(authority)),
		does("", "", "enroll", "add", "phone", "--user", "dave", "--label", "mobile",
			"--number", number, "--yes")); err != nil {
		return err
	}
	t, err := client("dave", "echo in$((0+1))side")
	if err != nil {
		return err
	}
	defer t.Close()
	for _, a := range []answer{{forPassword, password}, {forCode, "sms"}} {
		if err := t.Expect(a.at); err != nil {
			return err
		}
		if err := t.Type(a.typed); err != nil {
			return err
		}
	}
	if err := t.Expect(forCode); err != nil {
		return err
	}
	if err := t.Type(v.Code(number)); err != nil {
		return err
	}
	return converse(t, "in1side")
}

// own is what alice does about her own second factor.
func own() error {
	return each(
		func() error { return asAlice("status", "token") },
		func() error {
			return asAlice("codes", `[0-9a-z]{5}-[0-9a-z]{5}`, answer{forPassword, password},
				answer{"[Cc]ode.*: ", token()})
		},
		tested)
}

// tested is a code that she tries.
func tested() error {
	return asAlice("test", "token", answer{forPassword, password}, answer{"[Cc]ode.*: ", token()})
}

// asAlice has her run one of enroll's commands.
func asAlice(command, want string, answers ...answer) error {
	t, err := terminal.New([]string{"setpriv", "--reuid=alice", "--regid=alice", "--init-groups",
		"enroll", command})
	if err != nil {
		return err
	}
	defer t.Close()
	if err := converse(t, want, answers...); err != nil {
		return fmt.Errorf("enroll %s: %w", command, err)
	}
	return nil
}

// recipient is one of age whose key no one has.
const recipient = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"

func administered() error {
	google := secret + "\n\" TOTP_AUTH\n"
	_ = root("", "", "useradd", "-m", "erin")
	file := "/home/erin/.google_authenticator"
	return each(
		put(file, 0o400, google), does("", "", "chown", "erin:", file),
		does("imported", "", "enroll", "import", file),
		does("", "", "enroll", "backup", "--recipient", recipient,
			filepath.Join("/var/backups", fmt.Sprintf("b%d.age", time.Now().UnixNano()))),
		does("", "", "enroll", "rekey"),
		does("", "", "enroll", "list", "--metrics"),
		does("", "", "enroll", "list", "--missing"),
		does("", "", "enroll", "list", "--orphans"),
		does("", "", "enroll", "explain", "alice", "--from", "192.0.2.1", "--service", "sshd"),
		does("", "", "enroll", "explain", "--last", "alice"),
		does("", "", "enroll", "add", "totp", "--user", "bob", "--label", "two", "--yes",
			"--png", fmt.Sprintf("/root/%d.png", time.Now().UnixNano())),
		does("", "", "enroll", "unlock", "alice"),
		does("", "", "enroll", "trust", "--user", "alice"),
		does("", "", "enroll", "reset", "erin", "--yes"),
		does("", "", "enroll", "invite", "erin"))
}
