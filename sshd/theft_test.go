package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// A thief has the password and nothing else.
func TestThiefOfThePasswordEnrollsAndReplacesNothing(t *testing.T) {
	password := [2]string{`Password: `, suite.Password}
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		newcomer, invited, owner := user(t, h), user(t, h), enrolled(t, h)
		script(t, h, "echo 'enroll_ticket = true' >/etc/latchkey/latchkey.toml")
		ticket := strings.TrimSpace(script(t, h, "enroll invite "+invited.Name))
		before := sums(t, h)
		for name, c := range map[string]struct {
			user  *suite.User
			line  string
			typed [][2]string
		}{
			"enrolls without a ticket": {newcomer, "enroll",
				[][2]string{password, {`Ticket from your administrator: `, ""}}},
			"enrolls with somebody else's ticket": {newcomer, "enroll",
				[][2]string{password, {`Ticket from your administrator: `, ticket}}},
			"adds a first device": {newcomer, "enroll add totp",
				[][2]string{password, {`Ticket from your administrator: `, "00000-00000"}}},
			"adds a first token": {newcomer, "enroll add hotp",
				[][2]string{password, {`Ticket from your administrator: `, "12345678"}}},
			"guesses the ticket": {invited, "enroll",
				[][2]string{password, {`Ticket from your administrator: `, "00000-00000"}}},
			"adds a device beside the owner's": {owner, "enroll add totp --label mine",
				[][2]string{password, {`Code from a device you have`, "000000"}}},
			"adds a token beside the owner's": {owner, "enroll add hotp --label mine",
				[][2]string{password, {`Code from a device you have`, "00000-00000"}}},
			"removes the owner's": {owner, "enroll remove phone",
				[][2]string{password, {`Code from a device you have`, "000000"}}},
			"makes recovery codes": {owner, "enroll codes",
				[][2]string{password, {`Code from a device you have`, "000000"}}},
			"enrolls again":           {owner, "enroll", nil},
			"invites himself":         {newcomer, "enroll invite " + newcomer.Name, nil},
			"gives out a code":        {owner, "enroll bypass " + owner.Name, nil},
			"has the rules explained": {owner, "enroll explain " + owner.Name, nil},
			"imports":                 {owner, "enroll import /dev/null", nil},
			"starts what enrolls in a login": {newcomer, "/usr/libexec/latchkey/latchkey-enroll",
				nil},
		} {
			t.Run(name, func(t *testing.T) {
				seen := says(t, h, c.user, c.line, c.typed...)
				for _, bad := range []string{
					"status 0", "by hand", "Secret of the token", "ecovery codes,",
				} {
					if strings.Contains(seen, bad) {
						t.Errorf("seen: %q", seen)
					}
				}
			})
		}
		after := sums(t, h)
		for _, line := range strings.Split(before, "\n") {
			if strings.Contains(line, "/etc/") && !strings.Contains(after, line) {
				t.Errorf("a record changed: %s", line)
			}
		}
		if strings.Contains(after, "/etc/latchkey/users/"+newcomer.Name) ||
			strings.Contains(after, "/etc/latchkey/users/"+invited.Name) {
			t.Errorf("there is a record: %s", after)
		}
		term := enrollAs(t, h, invited, "enroll") // the ticket's owner
		for _, step := range [][2]string{password, {`Ticket from your administrator: `, ticket}} {
			typed(t, term, step[0], step[1])
		}
		must(t, term.Expect(`the app shows now. Verification code: `))
		must(t, invited.ReadSecret(term.Seen()))
		must(t, term.Type(invited.Code()))
		must(t, term.Expect(`Done: the device "app"`))
		allowed(t, server(t, h, suite.PasswordAndCode), suite.Attempt{
			User:     invited.Name,
			Password: suite.Password,
			Codes:    []string{invited.CodeAt(1)},
		})
	})
}
