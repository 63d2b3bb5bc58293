package sshd_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// onPrivate runs a test on a host of its own of every distribution.
func onPrivate(t *testing.T, test func(t *testing.T, h *suite.Host)) {
	t.Helper()
	t.Parallel()
	for _, d := range suite.Distributions {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			h, err := shared.Private(d)
			must(t, err)
			t.Cleanup(func() { must(t, h.Close()) })
			test(t, h)
		})
	}
}

// prints runs a script that must succeed and checks what it prints.
func prints(t *testing.T, h *suite.Host, text string, want ...string) {
	t.Helper()
	out := script(t, h, text)
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Errorf("%s: got %q; want %q in it", text, out, w)
		}
	}
}

// A deleted account takes its second factor with it, and one with the same name starts without.
func TestADeletedAccountLosesItsSecondFactor(t *testing.T) {
	onPrivate(t, func(t *testing.T, h *suite.Host) {
		u, err := h.Named("leaver")
		must(t, err)
		must(t, u.Enroll())
		prints(t, h, "enroll status leaver", "phone")
		script(t, h, "userdel -r leaver 2>/dev/null; ! test -e "+recordFile+"leaver && ! test -e "+
			stateFile+"leaver")
		stays := enrolled(t, h)
		prints(t, h, "enroll status "+stays.Name, "phone")

		// The hook that is not userdel's call, or has nothing to do, does nothing.
		const hook = "/etc/shadow-maint/userdel-post.d/latchkey"
		script(t, h, fmt.Sprintf("ACTION=userdel SUBJECT=nobody-enrolled %[1]s && "+
			"ACTION=useradd SUBJECT=%[2]s %[1]s && SUBJECT=%[2]s %[1]s && %[1]s", hook, stays.Name))
		prints(t, h, "enroll status "+stays.Name, "phone")
		// Nor does it where the name is still that of an account, as one in a directory.
		prints(t, h, "ACTION=userdel SUBJECT="+stays.Name+" "+hook+" 2>&1",
			"there is still an account "+stays.Name)
		prints(t, h, "enroll status "+stays.Name, "phone")

		// What a fleet has of a user is not one host's to remove: the hook does not even try.
		u, err = h.Named("fleeting")
		must(t, err)
		must(t, u.Enroll())
		script(t, h, `set -e
printf '#!/bin/sh\n: >/root/asked\n' >/usr/local/sbin/enroll
chmod +x /usr/local/sbin/enroll
touch /etc/latchkey/fleet.toml
userdel -r fleeting 2>/dev/null
rm /etc/latchkey/fleet.toml /usr/local/sbin/enroll
test ! -e /root/asked
enroll reset fleeting --yes`)

		// An account that is deleted behind userdel's back is an orphan; so is a changed uid.
		u, err = h.Named("gone")
		must(t, err)
		must(t, u.Enroll())
		prints(t, h, "enroll list --orphans | wc -l", "0\n")
		script(t, h, "cp -p /etc/passwd /root/passwd && sed -i 's/^gone:x:[0-9]*:/gone:x:4321:/' /etc/passwd")
		prints(t, h, "enroll list --orphans", "gone                 another account now, with uid 4321; "+
			"enrolled with uid ")
		script(t, h, "sed -i '/^gone:/d' /etc/passwd")
		prints(t, h, "enroll list --orphans --json", `"user": "gone"`, `"uid": null`)
		script(t, h, "cp -p /root/passwd /etc/passwd && userdel -r gone 2>/dev/null; ! test -e "+
			recordFile+"gone")
	})
}

// The sudoers file of the example lets a help desk do three things, and none of them to root.
func TestAHelpDeskMayOnlyHelp(t *testing.T) {
	onPrivate(t, func(t *testing.T, h *suite.Host) {
		u, desk := enrolled(t, h), user(t, h)
		script(t, h, "groupadd -f helpdesk && usermod -aG helpdesk "+desk.Name+" && install -m 440 "+
			installed+"help-desk/sudoers /etc/sudoers.d/latchkey-help-desk && visudo -c")
		may := func(command string) bool {
			return !strings.Contains(script(t, h, "sudo -l -U "+desk.Name+" /usr/bin/enroll "+
				command+" >/dev/null 2>&1 || echo no"), "no")
		}
		for _, command := range []string{
			"status NAME", "unlock NAME", "bypass NAME", "bypass NAME --for 8h", "bypass NAME --for 24h",
		} {
			if command = strings.ReplaceAll(command, "NAME", u.Name); !may(command) {
				t.Errorf("%q is refused; want it allowed", command)
			}
		}
		for _, command := range []string{
			"", "reset NAME", "list", "add totp --user NAME", "remove phone --user NAME", "codes NAME",
			"invite NAME", "doctor", "import /etc/shadow", "explain NAME",
			"bypass root", "unlock root", "bypass root --for 1h", "bypass admin", "unlock admin",
			"bypass NAME --for 25h", "bypass NAME --for 30d", "bypass NAME --for 1w", "bypass --user root",
			"bypass NAME --user root", "--user root bypass NAME", "bypass NAME root", "bypass --for 8h",
			"unlock NAME --user root", "status NAME --json", "status --user root", "status -h",
			"bypass -- root", "bypass 'NAME root'", "bypass ../root", "bypass NAME --for=8h --user=root",
			"bypass --help", "bypass 'root '", "bypass NAME --for 8h --yes",
		} {
			if command = strings.ReplaceAll(command, "NAME", u.Name); may(command) {
				t.Errorf("%q is allowed; want it refused", command)
			}
		}
		out, err := h.Exec(suite.Password+"\n", "/bin/su", desk.Name, "-c",
			"sudo -S -p '' /usr/bin/enroll bypass "+u.Name)
		if err != nil || !regexp.MustCompile(`^[a-z0-9]{5}-[a-z0-9]{5}\n$`).MatchString(out) {
			t.Errorf("got %q, %v; want a code", out, err)
		}
	})
}
