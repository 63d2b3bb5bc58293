package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"latchkey/sshd/poll"
)

// started are the steps after the machine was started again while an activation was pending, and
// startedAgain those after it was started with one that is confirmed.
var (
	started = []step{
		{"the profiles are enforced after a start", enforced},
		{"systemd undoes what was pending", all(undone, withoutCode)},
		{"activate once more, and confirm", confirmed},
	}
	startedAgain = []step{
		{"what is confirmed stays in force", func() error {
			return each(does("In force", "", "enroll", "activate", "--status"), withCode)
		}},
		{"deactivate after a start", all(does("", "", "enroll", "deactivate"), withoutCode)},
	}
)

func all(steps ...func() error) func() error { return func() error { return each(steps...) } }

// hostProfiles are those of the package latchkey.
var hostProfiles = []string{"enroll", "latchkey-login", "latchkey-enroll", "latchkey-twilio",
	"latchkey-notify", "latchkey-fleet"}

// enforced reports an error unless the kernel enforces every profile.
func enforced() error { return loaded("enforce", append(hostProfiles, "latchkey-fleetd")) }

func loaded(mode string, profiles []string) error {
	text, err := os.ReadFile("/sys/kernel/security/apparmor/profiles")
	for _, name := range profiles {
		if !strings.Contains("\n"+string(text), "\n"+name+" ("+mode+")\n") {
			return fmt.Errorf("%s is not in %s mode: %s (%v)", name, mode, text, err)
		}
	}
	return err
}

// switched lets the profiles only log and enforces them again, with the commands of the page for
// administrators.
func switched() error {
	again := "apparmor_parser -r usr.libexec.latchkey.* usr.bin.enroll"
	return each(
		does("", "", "sh", "-ec", "cd /etc/apparmor.d; "+
			"ln -st force-complain $PWD/usr.libexec.latchkey.* $PWD/usr.bin.enroll; "+again),
		func() error { return loaded("complain", hostProfiles) },
		does("", "", "sh", "-ec", "cd /etc/apparmor.d; "+
			"rm force-complain/usr.libexec.latchkey.* force-complain/usr.bin.enroll; "+again),
		enforced)
}

// pending activates for a time in which nothing slow is done.
func pending() error {
	return root("This is undone at", "", "enroll", "activate", "--yes", "--within", "3m")
}

// unconfirmed leaves an activation to the service of systemd's, which runs confined.
func unconfirmed() error {
	return each(pending, func() error {
		out, err := exec.Command("sh", "-c", "cat /proc/$(systemctl show --value -p MainPID "+
			"latchkey-rollback)/attr/current").Output()
		if got := strings.TrimSpace(string(out)); err != nil || got != "enroll (enforce)" {
			return fmt.Errorf("the service runs under %q (%v)", got, err)
		}
		return nil
	}, withCode, undone, withoutCode)
}

// undone waits until no one has confirmed the activation in time.
func undone() error {
	return poll.Until("the end of the activation", patience, func() error {
		time.Sleep(2 * time.Second) // what is waited for needs the processor, too
		return root("no one has confirmed it in time", "", "enroll", "activate", "--status")
	})
}

// confirmed activates, and confirms it from a login with a code.
func confirmed() error {
	return each(does("This is undone at", "", "enroll", "activate", "--yes", "--within", "30m"),
		func() error {
			return session("alice", "sudo enroll activate --confirm", "onfirmed|in force",
				answer{forCode, token()})
		})
}

// withCode logs in with a code, and withoutCode with the password alone.
func withCode() error {
	return session("alice", "echo in$((0+1))side", "in1side", answer{forCode, token()})
}

func withoutCode() error { return session("alice", "echo in$((0+1))side", "in1side") }

// bySocket has systemd's socket start sshd, and activates twice.
func bySocket() error {
	return each(does("", "", "systemctl", "disable", "--now", "ssh.service"),
		does("", "", "systemctl", "enable", "--now", "ssh.socket"), withoutCode,
		confirmed, withCode, does("", "", "enroll", "deactivate"), withoutCode,
		pending, withCode, undone, withoutCode,
		does("", "", "systemctl", "disable", "ssh.socket"),
		// or Debian 13 loses sight of the sshd that the socket has started
		does("", "", "systemctl", "stop", "ssh.socket", "ssh.service"),
		does("", "", "systemctl", "enable", "--now", "ssh.service"), withoutCode)
}
