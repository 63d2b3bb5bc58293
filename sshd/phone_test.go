package sshd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/pam/twilio/standin"
	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// verify starts a stand-in for Twilio Verify and makes it the host's.
func verify(t *testing.T, h *suite.Host, o standin.Options) *standin.Server {
	t.Helper()
	v, err := h.Verify(o)
	must(t, err)
	t.Cleanup(v.Close)
	return v
}

// withPhone returns a new account with a phone and, if wanted, with an authenticator app.
func withPhone(t *testing.T, h *suite.Host, app bool) *suite.User {
	t.Helper()
	u := user(t, h)
	if app {
		must(t, u.Enroll())
	}
	must(t, u.EnrollPhone(u.Number()))
	return u
}

// answers types one answer after the other and hangs up after the last. An answer may be computed
// when it is needed.
func answers(typed ...func() string) func(string) (string, error) {
	return func(string) (string, error) {
		if len(typed) == 0 {
			return "", suite.ErrHungUp
		}
		next := typed[0]
		typed = typed[1:]
		return next(), nil
	}
}

func word(w string) func() string { return func() string { return w } }

// last returns the end of a user's number, which is all that is ever shown of it.
func last(u *suite.User) string { return u.Number()[len(u.Number())-4:] }

func TestACodeBySMSOrCallLetsInThroughOpenSSHsClient(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, v := server(t, h, suite.PasswordAndCode), verify(t, h, standin.Options{})
		for _, c := range []struct {
			name string
			app  bool
			// each expected text, and what is typed then; "code" is the code sent
			steps func(u *suite.User) [][2]string
			says  []string
		}{
			{"by SMS, with nothing but a phone", false, func(u *suite.User) [][2]string {
				return [][2]string{
					{`Type sms or call to get a code\. Verification code: `, "sms"},
					{`Sent by SMS to .*` + last(u) + `\. Verification code: `, "code"},
				}
			}, []string{"method=sms", "tries=1"}},
			{"by call, with nothing but a phone", false, func(u *suite.User) [][2]string {
				return [][2]string{
					{`Type sms or call to get a code\. Verification code: `, "call"},
					{`Calling .*` + last(u) + `\. Verification code: `, "code"},
				}
			}, []string{"method=call", "tries=1"}},
			{"by SMS after a mistyped app code", true, func(u *suite.User) [][2]string {
				return [][2]string{{`From your app, or type sms or call\. Verification code: `,
					u.WrongCode()},
					{`Not accepted\. From your app, or sms or call\. Verification code: `, "sms"},
					{`Sent by SMS to .*: `, "code"}}
			}, []string{"method=sms", "tries=2"}},
			{"by call after a mistyped app code", true, func(u *suite.User) [][2]string {
				return [][2]string{{`From your app, or type sms or call\. Verification code: `,
					u.WrongCode()},
					{`Not accepted\. From your app, or sms or call\. Verification code: `, "call"},
					{`Calling .*: `, "code"}}
			}, []string{"method=call", "tries=2"}},
		} {
			t.Run(c.name, func(t *testing.T) {
				u := withPhone(t, h, c.app)
				term, err := s.Terminal(suite.OpenSSH{User: u.Name}, "host", "id", "-un")
				must(t, err)
				t.Cleanup(term.Close)
				must(t, term.Expect(`[Pp]assword: `))
				must(t, term.Type(suite.Password))
				for _, step := range c.steps(u) {
					must(t, term.Expect(step[0]))
					if step[1] == "code" {
						step[1] = v.Code(u.Number())
					}
					must(t, term.Type(step[1]))
				}
				must(t, term.Expect(`(?m)^`+u.Name+`\r?$`))
				audited(t, h, u.Name, 1,
					append(c.says, "verdict=allow", "reason=ok", `device="mobile"`)...)
			})
		}
	})
}

func TestPhoneCodeIsDeniedWhenItIsWrongOrUsed(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, v := server(t, h, suite.KeyAndCode), verify(t, h, standin.Options{})
		u := withPhone(t, h, false)
		code := ""
		sent := func() string { code = v.Code(u.Number()); return code }
		wrong := func() string { return v.WrongCode(u.Number()) }
		allowed(t, s, suite.Attempt{
			User:   u.Name,
			Key:    shared.Key,
			Answer: answers(word("sms"), wrong, sent),
		})
		checks := v.Checks()
		denied(t, s, suite.Attempt{
			User:   u.Name,
			Key:    shared.Key,
			Answer: answers(func() string { return code }),
		})
		denied(t, s, suite.Attempt{
			User:   u.Name,
			Key:    shared.Key,
			Answer: answers(word("12345"), word("123456"), word("１２３４５６")),
		})
		if v.Checks() != checks {
			t.Error("Twilio was asked about codes although it had sent none")
		}
	})
}

func TestWrongPasswordSendsNothingToTwilio(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		v := verify(t, h, standin.Options{})
		_, err := h.Script("printf '[phone]\\nauto = true\\n' >/etc/latchkey/latchkey.toml")
		must(t, err)
		for _, c := range []suite.Config{suite.PasswordAndCode, suite.PasswordToo} {
			s, u := server(t, h, c), withPhone(t, h, false)
			denied(t, s, suite.Attempt{
				User:     u.Name,
				Password: "not it",
				Answer:   answers(word("sms"), word("123456")),
			})
			denied(t, s, suite.Attempt{
				User:          u.Name,
				Password:      "not it",
				PasswordFirst: true,
				Answer:        answers(word("sms")),
			})
			denied(t, s, suite.Attempt{
				User:     "no-one-here",
				Password: "not it",
				Answer:   answers(word("sms")),
			})
			if n := v.Connections(); n != 0 {
				t.Fatalf("%s: %d connections", c.Name, n)
			}
			o := s.Login(suite.Attempt{
				User:     u.Name,
				Password: suite.Password,
				Answer:   answers(func() string { return v.Code(u.Number()) }),
			})
			o.Close()
			if v.Sends() == 0 {
				t.Fatalf("%s: the right password sent nothing either: %v", c.Name, o.Err)
			}
			verifyAgain := v.Connections()
			if verifyAgain == 0 {
				t.Error("no connection was counted")
			}
			v = verify(t, h, standin.Options{})
		}
	})
}

func TestLoginWaitingForTwilioHoldsNoOneUp(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, v := server(t, h, suite.KeyAndCode), verify(t, h, standin.Options{})
		u := withPhone(t, h, true)
		reached := make(chan bool)
		v.Fail(func(f standin.Faulty) { close(reached); standin.Silence(f) })
		ended := make(chan *suite.Outcome, 1)
		go func() {
			ended <- s.Login(suite.Attempt{
				User:   u.Name,
				Key:    shared.Key,
				Answer: answers(word("sms"), func() string { return u.CodeAt(1) }),
			})
		}()
		<-reached
		allowed(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Answer: answers(u.Code)})
		audited(t, h, u.Name, 1, "verdict=allow") // the other one is still waiting
		o := <-ended
		defer o.Close()
		if !o.In() || !strings.Contains(o.Prompts[len(o.Prompts)-1], "No SMS to ") {
			t.Errorf("%v; %q", o.Err, o.Prompts)
		}
	})
}

// While PAM works, sshd watches nothing else, so it learns of a client that went away only when
// the request is given up.
func TestDisconnectWhileTwilioIsSilentLeavesNothingBehind(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, v := server(t, h, suite.KeyAndCode), verify(t, h, standin.Options{})
		u := withPhone(t, h, true)
		reached := make(chan bool)
		v.Fail(func(f standin.Faulty) { close(reached); standin.Silence(f) })
		term, err := s.Terminal(suite.OpenSSH{
			User:    u.Name,
			Key:     true,
			Methods: "publickey,keyboard-interactive",
		}, "host")
		must(t, err)
		must(t, term.Expect(`Verification code: `))
		must(t, term.Type("sms"))
		<-reached
		programs := running(t, h)
		if uid, ok := programs["latchkey-twilio"]; !ok || uid == 0 {
			t.Errorf("latchkey-twilio does not run, or as root: %v", programs)
		}
		term.Close()
		must(t, poll.Until("the login and its child to end", time.Minute, func() error {
			if left := running(t, h); len(left) > 0 {
				return fmt.Errorf("left: %v", left)
			}
			return nil
		}))
		audited(t, h, u.Name, 1, "verdict=deny", "reason=conversation")
	})
}

// running returns latchkey's processes in the host, with their effective uids.
func running(t *testing.T, h *suite.Host) map[string]int {
	t.Helper()
	all, err := h.Processes()
	must(t, err)
	found := map[string]int{}
	for _, p := range all {
		if p.Name == "latchkey-login" || p.Name == "latchkey-twilio" {
			found[p.Name] = p.UID
		}
	}
	return found
}

// Two checks that are never answered take nearly all the time that the gate gives a login for
// everything but the user's typing.
func TestAppCodeStillWorksAfterTwilioWasSilentTwice(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, v := server(t, h, suite.KeyAndCode), verify(t, h, standin.Options{})
		for _, c := range []struct {
			name string
			hang func()
		}{
			{"the server", func() { v.Fail(standin.Silence) }},
			{"the program", func() {
				script(t, h, "cd /usr/libexec/latchkey && chmod 755 latchkey-twilio && printf "+
					"'#!/bin/sh\nexec sleep 60\n' >latchkey-twilio")
			}},
		} {
			t.Run(c.name, func(t *testing.T) {
				u := withPhone(t, h, true)
				silent := func() string { c.hang(); return u.WrongCode() }
				allowed(t, s, suite.Attempt{
					User:   u.Name,
					Key:    shared.Key,
					Answer: answers(word("sms"), silent, u.WrongCode, u.Code),
				})
				audited(t, h, u.Name, 1, "verdict=allow", "method=totp", "tries=3")
			})
			v.Fail(nil)
		}
	})
}

func TestUserWithOnlyAPhoneAddsAnAppWithACodeSentToIt(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		v, u := verify(t, h, standin.Options{}), withPhone(t, h, false)
		start := func() *terminal.Terminal {
			term := enrollAs(t, h, u, "enroll add totp")
			must(t, term.Expect(`Password: `))
			must(t, term.Type(suite.Password))
			return term
		}
		thief := start()
		must(t, thief.Expect(`A code is on its way to ...`+last(u)))
		for range 3 {
			must(t, thief.Expect(`Verification code: `))
			must(t, thief.Type(v.WrongCode(u.Number())))
		}
		must(t, thief.Expect(`no correct code; nothing was changed`))
		script(t, h, "enroll reset "+u.Name+" && enroll add phone --user "+u.Name+" --number "+
			u.Number()+" --yes")
		owner := start()
		must(t, owner.Expect(`A code is on its way to ...`+last(u)+`\. Verification code: `))
		must(t, owner.Type(v.Code(u.Number())))
		must(t, owner.Expect(`the app shows now. Verification code: `))
		must(t, u.ReadSecret(owner.Seen()))
		must(t, owner.Type(u.Code()))
		must(t, owner.Expect(`Done: the device "app"`))
	})
}

func TestUserWhoLostThePhoneAddsAnAppWithACodeFromRoot(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		v, u := verify(t, h, standin.Options{}), withPhone(t, h, false)
		code := strings.TrimSpace(script(t, h, "enroll bypass "+u.Name+" 2>/dev/null"))
		term := enrollAs(t, h, u, "enroll add totp")
		typed(t, term, `Password: `, suite.Password)
		typed(t, term,
			`Code from a device you have, a recovery code, or the code from `+
				`your\s+administrator. Verification code: `,
			code)
		must(t, term.Expect(`the app shows now. Verification code: `))
		must(t, u.ReadSecret(term.Seen()))
		typed(t, term, ``, u.Code())
		must(t, term.Expect(`Done: the device "app"`))
		if sent := v.Sends(); sent > 0 {
			t.Errorf("%d codes were sent to the phone that is lost", sent)
		}
	})
}

func TestPhoneIsProvenByASentCodeAndALandlineByACall(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		v := verify(t, h, standin.Options{})
		for _, landline := range []bool{false, true} {
			u := user(t, h)
			if landline {
				v.Landline(u.Number())
			}
			term := enrollAs(t, h, u, "enroll add phone --number "+u.Number())
			for _, step := range []struct {
				expect string
				typed  func() string
			}{
				{`Password: `, word(suite.Password)},
				{`A code is on its way to ...` + last(u) + `\. Verification code: `,
					func() string { return v.WrongCode(u.Number()) }},
				{`That code was not accepted\. Verification code: `,
					func() string { return v.Code(u.Number()) }},
			} {
				must(t, term.Expect(step.expect))
				must(t, term.Type(step.typed()))
			}
			must(t, term.Expect(`codes for `+u.Name+` can be sent to "phone", ...`+last(u)))
		}
	})
}
