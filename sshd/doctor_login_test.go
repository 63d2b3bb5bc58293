package sshd_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// Each is a file of Match lines above README's configuration, and a login by a key alone that gets
// in where doctor names a line, and does not where doctor finds none. FAULTS 10, 43.
var disputed = []struct {
	name, lines, user, from string
	line                    int // the line that doctor names; 0: none
}{
	{"a network around a strict one",
		"Match Address 127.0.0.0/24\n AuthenticationMethods publickey,keyboard-interactive\n" +
			"Match Address 127.0.0.0/8\n AuthenticationMethods publickey\n", "bob", "127.9.9.9",
		4},
	{"a network around a strict one, strict",
		"Match Address 127.0.0.0/24\n AuthenticationMethods publickey,keyboard-interactive\n" +
			"Match Address 127.0.0.0/8\n AuthenticationMethods keyboard-interactive\n", "bob",
		"127.9.9.9", 0},
	{"a member of a group below a strict line for another",
		"Match User alice\n AuthenticationMethods publickey,keyboard-interactive\n" +
			"Match Group admins\n AuthenticationMethods publickey\n", "bob", "", 4},
	{"all members of a group below strict lines",
		"Match User alice,bob\n AuthenticationMethods publickey,keyboard-interactive\n" +
			"Match Group admins\n AuthenticationMethods publickey\n", "bob", "", 0},
	{"an equals sign", "Match User=bob\n AuthenticationMethods publickey\n", "bob", "", 2},
	{"all but an exception", "Match User !alice,*\n AuthenticationMethods publickey\n", "bob", "",
		2},
	{"exceptions alone", "Match User !alice\n AuthenticationMethods publickey\n", "bob", "", 0},
	{"an address of this side",
		"Match LocalAddress 127.0.0.0/8\n AuthenticationMethods publickey\n", "bob", "", 2},
	{"a group by its number in passwd", "Match Group bob\n AuthenticationMethods publickey\n",
		"bob", "", 2},
	{"a strict user and a lax network",
		"Match User bob Address 10.0.0.0/8\n AuthenticationMethods " +
			"publickey,keyboard-interactive\n" +
			"Match Address 127.0.0.0/8\n AuthenticationMethods publickey\n", "bob", "127.0.0.1",
		4},
	{"a lax user who may not try",
		"Match User bob\n AuthenticationMethods publickey\n DenyUsers bob\n", "bob", "", 0},
	{"a name of a client, which is not looked for",
		"Match Host localhost\n AuthenticationMethods publickey\n", "bob", "", 0},
	{"an address for a name", "Match Host 127.*\n AuthenticationMethods publickey\n", "bob", "",
		2},
	{"a deliberate exception above a mistake",
		"Match User backup\n AuthenticationMethods publickey\n" +
			"Match Address 127.0.0.0/8\n AuthenticationMethods publickey\n", "bob", "", 4},
	{"every door closed",
		"Match User bob\n PubkeyAuthentication no\n KbdInteractiveAuthentication no\n", "bob", "",
		0},
}

func TestKeyAloneGetsInExactlyWhereDoctorNamesALine(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		_, err := h.Script(readme)
		must(t, err)
		for _, name := range []string{"alice", "bob"} {
			u, err := h.Named(name)
			must(t, err)
			must(t, u.Enroll())
		}
		_, err = h.Script("groupadd admins && usermod -a -G admins alice && usermod -a " +
			"-G admins bob")
		must(t, err)
		for _, c := range disputed {
			t.Run(c.name, func(t *testing.T) {
				const file = "/etc/ssh/sshd_config.d/x.conf"
				must(t, os.WriteFile(h.Path(file), []byte(c.lines), 0o644))
				said := fmt.Sprint(doctor(t, h, ""))
				names := strings.Contains(said, fmt.Sprintf("error: %s:%d: ", file, c.line))
				if names != (c.line > 0) || c.line == 0 && said != "[]" {
					t.Errorf("got %s, want line %d", said, c.line)
				}
				s, err := h.Own()
				must(t, err)
				defer s.Stop()
				o := attempt(t, s, suite.Attempt{User: c.user, Key: shared.Key, From: c.from})
				if o.In() != (c.line > 0) {
					t.Errorf("in: %v, want %v (%v)", o.In(), c.line > 0, o.Err)
				}
			})
		}
	})
}
