package sshd_test

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/pam/twilio/standin"
	"latchkey/sshd/suite"
)

// claims has a user claim a number in enroll and type wrong codes until enroll ends.
func claims(t *testing.T, h *suite.Host, v *standin.Server, u *suite.User, number string) {
	t.Helper()
	term := enrollAs(t, h, u, "enroll add phone --number "+number)
	typed(t, term, `Password: `, suite.Password)
	for n := range 5 {
		must(t, term.Expect(`Verification code: |enroll: error: `))
		if strings.Contains(term.Seen(), "enroll: error: ") {
			return
		}
		wrong := fmt.Sprintf("%06d", n)
		if wrong == v.Code(number) {
			wrong = "999999"
		}
		must(t, term.Type(wrong))
	}
	t.Errorf("enroll asks for ever: %q", term.Seen())
}

// FAULTS 40: no one can burn a colleague's phone code, and the attempts are in the log.
func TestSentCodeStillWorksAfterAnotherUserClaimedTheNumber(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, v := server(t, h, suite.PasswordAndCode), verify(t, h, standin.Options{})
		alice, bob := withPhone(t, h, false), user(t, h)
		afterBob := func() string {
			claims(t, h, v, bob, alice.Number())
			claims(t, h, v, bob, alice.Number())
			return v.Code(alice.Number())
		}
		allowed(t, s, suite.Attempt{
			User: alice.Name, Password: suite.Password, Answer: answers(word("sms"), afterBob),
		})
		audited(t, h, alice.Name, 1, "verdict=allow", "method=sms", "reason=ok")
		audited(t, h, bob.Name, 2, "verdict=deny", `service="enroll"`, "method=sms",
			`device="phone"`,
			"reason=wrong")
		if n := v.Checks(); n > 3 {
			t.Errorf("%d checks of alice's code, want two of bob's and her own", n)
		}
	})
}

// FAULTS 40: a session that was left open does not lock its owner out.
func TestOpenSessionWithoutThePasswordLocksNoOneOut(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, u := server(t, h, suite.PasswordAndCode), enrolled(t, h)
		script(t, h, "printf '[limits]\\nfailures = \"2/10m\"\\n' >/etc/latchkey/latchkey.toml")
		for _, command := range []string{
			"enroll test", "enroll test", "enroll codes", "enroll remove phone", "enroll add totp",
			"enroll add phone",
		} {
			term := enrollAs(t, h, u, command)
			typed(t, term, `Password: `, "123456")
			must(t, term.Expect(`password not accepted; nothing was changed`))
		}
		allowed(t, s,
			suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}})
	})
}

// The service decides how long its codes are.
func TestSentCodesOfEveryLengthAreAccepted(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s := server(t, h, suite.PasswordAndCode)
		for length := 4; length <= 10; length++ {
			t.Run(fmt.Sprint(length), func(t *testing.T) {
				v := verify(t, h, standin.Options{CodeLength: length})
				u := withPhone(t, h, true)
				code := func() string { return v.Code(u.Number()) }
				wrong := func() string { return v.WrongCode(u.Number()) }
				login := suite.Attempt{User: u.Name, Password: suite.Password}
				login.Answer = answers(word("sms"), wrong)
				hungUp(t, s, login)
				login.Answer = answers(code)
				allowed(t, s, login)
				audited(t, h, u.Name, 2, "verdict=allow", "method=sms")
				only := withPhone(t, h, false)
				term := enrollAs(t, h, only, "enroll codes")
				typed(t, term, `Password: `, suite.Password)
				must(t, term.Expect(`A code is on its way`))
				must(t, term.Type(v.Code(only.Number())))
				must(t, term.Expect(`recovery codes`))
			})
		}
	})
}
