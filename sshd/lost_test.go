package sshd_test

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// FAULTS 37: a renamed account, and a second name of an enrolled uid, are not users who never
// enrolled.
func TestRenamedAccountAndSecondNameAreDeniedUnderEveryPolicy(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		for name, toml := range map[string]string{
			"allow": `unenrolled = "allow"`, "enroll": `unenrolled = "enroll"`,
			"date": "enroll_by = 2099-12-31",
		} {
			s, alice := configured(t, h, name, toml+"\n"), enrolled(t, h)
			t.Run(name+", a second name", func(t *testing.T) {
				second := alice.Name + "b"
				script(t, h, fmt.Sprintf("useradd -o -u %d -d /home/%s -s /bin/sh %s", alice.UID,
					alice.Name, second))
				refusesNamesake(t, h, s, second, alice)
				allowed(t, s, suite.Attempt{
					User:  alice.Name,
					Key:   shared.Key,
					Codes: []string{alice.Code()},
				})
				script(t, h, "userdel "+second)
			})
			t.Run(name+", a new name", func(t *testing.T) {
				renamed := alice.Name + "r"
				script(t, h, "usermod -l "+renamed+" "+alice.Name)
				refusesNamesake(t, h, s, renamed, alice)
				// As the log says. After that, the new name is a user who never enrolled.
				script(t, h, "enroll reset "+alice.Name+" && enroll add totp --yes --user "+
					renamed)
				denied(t, s, suite.Attempt{
					User:  renamed,
					Key:   shared.Key,
					Codes: []string{alice.CodeAt(1)},
				})
				audited(t, h, renamed, 2, "verdict=deny", "reason=wrong")
			})
		}
	})
}

// refusesNamesake checks that a name of alice's uid is neither let in nor asked, and that the log
// says what to do.
func refusesNamesake(t *testing.T, h *suite.Host, s *suite.Server, name string,
	alice *suite.User) {
	t.Helper()
	o := denied(t, s, suite.Attempt{User: name, Key: shared.Key, Codes: []string{alice.Code()}})
	if o.CodePrompts() != 0 || strings.Contains(strings.Join(o.Prompts, "\n"), "app shows now") {
		t.Errorf("got prompts %q, want none", o.Prompts)
	}
	line := audited(t, h, name, 1, "verdict=deny", "reason=record")
	if want := "enroll reset " + alice.Name; !strings.Contains(line, want) {
		t.Errorf("the log has no %q: %s", want, line)
	}
}
