package main

import (
	"fmt"
	"os/exec"
	"strings"
	"time"

	"latchkey/sshd/poll"
)

// here is this machine's name, and scripts are those that a package has for setting up a fleet.
const (
	here    = "confined"
	scripts = "/usr/share/doc/latchkey-fleetd/examples/"
	papers  = "/root/fleet"
)

// fleet makes this machine a fleet: etcd, the service below its unit and profile, and a host. It
// enrolls a user there, who logs in.
func fleet() error {
	return each(
		does("", "", "sh", scripts+"certificates.sh", papers, here),
		does("", "", "sh", scripts+"machine.sh", papers, here, here),
		does("", "", "systemctl", "restart", "etcd"),
		does("", "", "sh", scripts+"etcd-user.sh", papers, here),
		does("", "", "latchkey-fleetd", "init"),
		does("", "", "systemctl", "restart", "latchkey-fleetd"),
		underProfile, joined,
		does("otpauth", "", "enroll", "add", "hotp", "--user", "bob", "--label", "fleets",
			"--secret-file", "/root/secret", "--yes"),
		func() error {
			return session("bob", "echo in$((0+1))side", "in1side", answer{forCode, first()})
		},
		does("", "", "enroll", "fleet", "leave", "--yes"))
}

// underProfile makes sure that the service runs, confined.
func underProfile() error {
	out, err := exec.Command("sh", "-c", "cat /proc/$(systemctl show --value -p MainPID "+
		"latchkey-fleetd)/attr/current").Output()
	if got := strings.TrimSpace(string(out)); err != nil || got != "latchkey-fleetd (enforce)" {
		return fmt.Errorf("the service runs under %q (%v)", got, err)
	}
	// etcd has 0.7 s for an answer, and has just started.
	return poll.Until("the fleet's status", patience, func() error {
		time.Sleep(2 * time.Second)
		return root("", "", "latchkey-fleetd", "status")
	})
}

func joined() error {
	ticket, err := exec.Command("latchkey-fleetd", "host", "invite", "web1", "--role",
		"verify,enroll,admin").Output()
	if err != nil {
		return err
	}
	return root("", "", "enroll", "fleet", "join", strings.TrimSpace(string(ticket)))
}
