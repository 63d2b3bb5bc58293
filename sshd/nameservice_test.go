package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/suite"
	"latchkey/sshd/suite/wire"
)

// sshd asks the name service itself and refuses before PAM, so the PAM application here is a
// program that does not.
func TestFailingNameServiceDeniesAndIsNotAnUnknownUser(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		must(t, h.Service("alone", suite.OnlyCode))
		users, err := h.ForeignUsers(1)
		must(t, err)
		u := users[0]
		must(t, u.Enroll())
		tester := func() *wire.Reply {
			reply, err := h.Run(wire.Request{
				Argv:  []string{"/usr/bin/pamtester", "alone", u.Name, "authenticate"},
				Stdin: []byte(u.Code() + "\n"),
			})
			must(t, err)
			return reply
		}
		for i, c := range []struct{ broken, mended, reason string }{
			// A folder in place of a file: the service answers with an error.
			{"mv /var/lib/extrausers/passwd /root/p; mkdir /var/lib/extrausers/passwd",
				"rmdir /var/lib/extrausers/passwd; mv /root/p /var/lib/extrausers/passwd",
				"reason=internal"},
			// A service that libc cannot load: libc itself says "no such user" then.
			{"sed -i.good 's/^passwd:.*/passwd: files nosuchservice/' /etc/nsswitch.conf",
				"mv /etc/nsswitch.conf.good /etc/nsswitch.conf", "reason=internal"},
			// A service that fails and is not the last.
			{"sed -i.good 's/^passwd:.*/passwd: extrausers files/' /etc/nsswitch.conf; mv " +
				"/var/lib/extrausers/passwd /root/p; mkdir /var/lib/extrausers/passwd",
				"mv /etc/nsswitch.conf.good /etc/nsswitch.conf; rmdir " +
					"/var/lib/extrausers/passwd; mv /root/p /var/lib/extrausers/passwd",
				"reason=internal"},
		} {
			script(t, h, c.broken)
			if reply := tester(); reply.Exit == 0 {
				t.Errorf("allowed: %s", reply.Stdout)
			}
			audited(t, h, u.Name, i+1, "verdict=deny", c.reason, "tries=0")
			script(t, h, c.mended)
		}
		if reply := tester(); reply.Exit != 0 {
			t.Errorf("denied with the name service up: %s%s", reply.Stdout, reply.Stderr)
		}
		if lines, err := h.Log(); err != nil ||
			strings.Contains(strings.Join(lines, "\n"), u.Secret) {
			t.Errorf("the secret is in the log, or %v", err)
		}
	})
}
