package fleet_test

import (
	"os"
	"strings"
	"testing"

	"latchkey/sshd/apparmor"
	"latchkey/sshd/calls"
	"latchkey/sshd/suite"
)

// profiles are AppArmor's, as packages install them.
const profiles = "../../packaging/apparmor/"

// profilesAllow demands that the host's profiles, and the service's, allow what was recorded
// there. The host has AppArmor's parser.
func profilesAllow(t *testing.T, host *suite.Host, onHost []calls.Call, service *suite.Host,
	onService []calls.Call) {
	t.Helper()
	compiled, err := apparmor.Compile(host, "", "/etc/apparmor.d/usr.bin.enroll",
		"/etc/apparmor.d/usr.libexec.latchkey.latchkey-login",
		"/etc/apparmor.d/usr.libexec.latchkey.latchkey-fleet")
	must(t, err)
	allowed(t, compiled, calls.Follow(onHost, compiled, host.Path("")), "enroll", "latchkey-login",
		"latchkey-fleet")
	text, err := os.ReadFile(profiles + "usr.sbin.latchkey-fleetd")
	must(t, err)
	// The unit names the profile, so that commands have none. Here, the program does, so there must
	// be no commands.
	compiled, err = apparmor.Compile(host, strings.Replace(string(text),
		"profile latchkey-fleetd ", "profile latchkey-fleetd "+program+" ", 1))
	must(t, err)
	allowed(t, compiled, calls.Follow(onService, compiled, service.Path("")), "latchkey-fleetd")
}

// allowed demands that every deed is allowed, and that each of these profiles was asked.
func allowed(t *testing.T, compiled apparmor.Profiles, deeds map[calls.Deed]calls.Call,
	wanted ...string) {
	t.Helper()
	asked := map[string]int{}
	for deed, call := range deeds {
		asked[deed.Profile]++
		if deed.Path == "/suite/latchkey-fleetd.log" {
			continue // systemd would give it a socket
		}
		if err := deed.Allowed(compiled); err != nil {
			t.Errorf("a profile lacks a rule: %v, for %s", err, call)
		}
	}
	for _, name := range wanted {
		if asked[name] < 5 {
			t.Errorf("%s: got %d deeds, want at least 5", name, asked[name])
		}
	}
}
