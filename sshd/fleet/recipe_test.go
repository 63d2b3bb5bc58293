package fleet_test

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/sshd/calls"
	"latchkey/sshd/suite"
)

// machines are those of the page, in one network here, so each has an address of its own.
var machines = []string{"mfa1", "mfa2", "mfa3"}

// names lets the machines find each other. The second line is for etcd, which compares a peer's
// address with the names in its certificate, and here all peers come from 127.0.0.1.
const names = "127.99.7.1 mfa1\n127.99.7.2 mfa2\n127.99.7.3 mfa3\n127.0.0.1 mfa1 mfa2 mfa3\n"

const recipe = "/usr/share/doc/latchkey-fleetd/examples/"

// The commands of packaging/doc/fleet.md, with what systemd does there.
func TestThePageOnFleetsLeadsToThreeMachinesThatAnswer(t *testing.T) {
	t.Parallel()
	hosts := make([]*suite.Host, len(machines))
	for i, name := range machines {
		h, err := shared.Fleetd(suite.Debian12, "etcd-server", "etcd-client", "openssl")
		must(t, err)
		t.Cleanup(func() { h.Close() })
		hosts[i] = h
		for file, text := range map[string]string{"/etc/hosts": names, "/etc/hostname": name} {
			_, err := h.Exec(text, "/usr/bin/tee", "-a", file)
			must(t, err)
		}
		script(t, h, "useradd --system --user-group "+account+" 2>&1")
	}
	all := strings.Join(machines, " ")
	script(t, hosts[0], "sh "+recipe+"certificates.sh /root/fleet "+all)
	for i, name := range machines {
		if i > 0 {
			copyFolder(t, hosts[0], hosts[i], "/root/fleet/"+name)
		}
		script(t, hosts[i], fmt.Sprintf("sh %smachine.sh /root/fleet %s %s", recipe, name, all))
		apart(t, hosts[i], i)
		daemon(t, hosts[i], "etcd", "/bin/sh", "-c", "set -a; . /etc/default/etcd; exec etcd")
	}
	script(t, hosts[0], "for i in $(seq 300); do sh "+recipe+"etcd-user.sh /root/fleet "+all+
		" && exit; sleep 0.2; done; exit 1")
	script(t, hosts[0], "latchkey-fleetd init")
	secret := script(t, hosts[0], "latchkey-fleetd export-secret")
	web1, err := shared.With(suite.Debian12, "apparmor")
	must(t, err)
	t.Cleanup(func() { web1.Close() })
	var onHost []calls.Call
	onService := calls.Record(t, hosts[0], func(string) {
		for i, h := range hosts {
			if i > 0 {
				_, err := h.Exec(secret, program, "init", "--from", "-")
				must(t, err)
			}
			daemon(t, h, account, program, "serve")
		}
		onHost = calls.Record(t, web1, func(string) { enters(t, hosts[1], web1) })
	})
	profilesAllow(t, web1, onHost, hosts[0], onService)
	status := script(t, hosts[2], "latchkey-fleetd status")
	for _, name := range machines {
		contains(t, "status", status, name+" yes")
	}
}

// enters has a host join the fleet of a service, and a user log in there.
func enters(t *testing.T, service, web1 *suite.Host) {
	t.Helper()
	ticket := script(t, service, "latchkey-fleetd host invite web1 --role verify,enroll,admin")
	_, err := web1.Exec(names, "/usr/bin/tee", "-a", "/etc/hosts")
	must(t, err)
	script(t, web1, "for i in $(seq 300); do enroll fleet join "+strings.TrimSpace(ticket)+
		" --yes && exit; sleep 0.2; done; exit 1")
	alice, err := web1.Named("alice")
	must(t, err)
	must(t, alice.Enroll())
	server, err := web1.Server(suite.PasswordAndCode)
	must(t, err)
	o := server.Login(suite.Attempt{User: "alice", Password: suite.Password,
		Codes: []string{alice.Code()}})
	if !o.In() {
		t.Errorf("alice on web1: %v", o.Err)
	}
	o.Close()
}

// As whom the service runs, and what it is.
const (
	account = "latchkey-fleetd"
	program = "/usr/sbin/latchkey-fleetd"
)

// daemon runs a program until the test ends, and shows what it printed if the test failed.
func daemon(t *testing.T, h *suite.Host, user string, argv ...string) {
	t.Helper()
	d, err := h.Start(user, user, argv...)
	must(t, err)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s:\n%s", argv, d.Printed())
		}
	})
}

// apart has the machine listen on its own address instead of all.
func apart(t *testing.T, h *suite.Host, number int) {
	t.Helper()
	script(t, h, fmt.Sprintf("sed -i s/0.0.0.0/127.99.7.%d/ /etc/default/etcd\n"+
		"sed -i 's/\":7443\"/\"127.99.7.%[1]d:7443\"/' /etc/latchkey/fleetd.toml\n", number+1))
}

// copyFolder is scp.
func copyFolder(t *testing.T, from, to *suite.Host, folder string) {
	t.Helper()
	tar := script(t, from, "tar -cf - -C / "+folder[1:]+" | base64")
	_, err := to.Exec(tar, "/bin/sh", "-c", "base64 -d | tar -xf - -C /")
	must(t, err)
}

func script(t *testing.T, h *suite.Host, text string) string {
	t.Helper()
	out, err := h.Script(text)
	must(t, err)
	return out
}
