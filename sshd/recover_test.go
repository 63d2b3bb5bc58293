package sshd_test

import (
	"regexp"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// printedCode matches a code that enroll prints: for recovery, a ticket, or one in place of a
// device's.
var printedCode = regexp.MustCompile(`\b[0-9a-hjkmnp-tv-z]{5}-[0-9a-hjkmnp-tv-z]{5}\b`)

// The way back: phone lost, recovery code, new device, old device refused, new recovery codes.
func TestLostPhoneIsNotALostAccount(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.PasswordAndCode), enrolled(t, h)
		out, err := h.Exec("", "/usr/bin/enroll", "codes", "--user", u.Name, "--yes")
		must(t, err)
		codes := printedCode.FindAllString(out, -1)
		if len(codes) != 10 {
			t.Fatalf("%d codes", len(codes))
		}
		lost := *u
		password := [2]string{`Password: `, suite.Password}
		const proof = `Code from a device you have, or a recovery code. Verification code: `

		allowed(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: codes[:1]})
		term := enrollAs(t, h, u, "enroll add totp --label new")
		for _, step := range [][2]string{password, {proof, codes[1]}} {
			typed(t, term, step[0], step[1])
		}
		must(t, term.Expect(`the app shows now. Verification code: `))
		must(t, u.ReadSecret(term.Seen()))
		must(t, term.Type(u.Code()))
		must(t, term.Expect(`Done: the device "new"`))
		seen := says(t, h, u, "enroll remove phone", password, [2]string{proof, codes[2]})
		if !strings.Contains(seen, `removed: device "phone"`) {
			t.Fatalf("got %q, want the device removed", seen)
		}
		denied(t, s, suite.Attempt{
			User:     u.Name,
			Password: suite.Password,
			Codes:    []string{lost.CodeAt(1)},
		})
		seen = says(t, h, u, "enroll codes", password, [2]string{proof, u.CodeAt(1)})
		fresh := printedCode.FindAllString(seen, -1)
		if len(fresh) != 10 {
			t.Fatalf("%d new codes in %q", len(fresh), seen)
		}
		denied(t, s, suite.Attempt{
			User:     u.Name,
			Password: suite.Password,
			Codes:    []string{codes[3]},
		})
		allowed(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: fresh[:1]})
		denied(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: fresh[:1]})
		log, err := h.Log()
		must(t, err)
		for _, change := range []string{"add", "remove", "codes"} {
			if !strings.Contains(strings.Join(log, "\n"),
				"latchkey: change="+change+` user="`+u.Name+`" by="`+u.Name+`"`) {
				t.Errorf("the log has no line about %s", change)
			}
		}
	})
}

func TestCodeFromRootLetsInOnceAndIsLogged(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u, other := server(t, h, suite.PasswordAndCode), enrolled(t, h), enrolled(t, h)
		out, err := h.Exec("", "/usr/bin/enroll", "bypass", u.Name, "--for", "1h")
		must(t, err)
		code := strings.TrimSpace(out)
		denied(t, s, suite.Attempt{
			User:     other.Name,
			Password: suite.Password,
			Codes:    []string{code},
		})
		denied(t, s, suite.Attempt{User: u.Name, Password: "wrong", Codes: []string{code}})
		allowed(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{code}})
		audited(t, h, u.Name, 1, "verdict=allow", "method=bypass", "reason=ok")
		denied(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{code}})
		log, err := h.Log()
		must(t, err)
		all := strings.Join(log, "\n")
		if !strings.Contains(all,
			`latchkey: change=bypass user="`+u.Name+`" by="root" device="" detail="until `) ||
			strings.Contains(all, code) {
			t.Errorf("the log:\n%s", logOf(h, u.Name))
		}
	})
}
