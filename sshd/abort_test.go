package sshd_test

import (
	"strings"
	"testing"

	"latchkey/pam/twilio/standin"
	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// question is what a command asks, and the right answer.
type question struct {
	asked  string
	answer func(d dialog) string
}

// dialog is one run of a command by a user who has an app and recovery codes, or nothing yet.
type dialog struct {
	user   *suite.User
	codes  []string // recovery codes
	verify *standin.Server
	seen   func() string
}

var (
	password = question{`Password: `, func(dialog) string { return suite.Password }}
	proof    = question{`Code from a device you have, or a recovery code. Verification code: `,
		func(d dialog) string { return d.codes[0] }}
	newCode = question{`the app shows now. Verification code: `, func(d dialog) string {
		fresh := suite.User{}
		if fresh.ReadSecret(d.seen()) != nil {
			return ""
		}
		return fresh.Code()
	}}
)

// dialogs are the commands that ask questions, with all of their questions.
var dialogs = map[string][]question{
	"enroll":          {password, newCode},
	"enroll add totp": {password, proof, newCode},
	"enroll add hotp": {password, proof,
		{`Secret of the token`, func(dialog) string { return "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" }},
		{`type the code. Verification code: `, func(dialog) string { return "755224" }}},
	"enroll add phone": {password, proof,
		{`Number of the phone`, func(d dialog) string { return d.user.Number() }},
		{`Verification code: `, func(d dialog) string { return d.verify.Code(d.user.Number()) }}},
	"enroll codes":        {password, proof},
	"enroll remove spare": {password, proof},
	"enroll test": {password,
		{`Verification code: `, func(d dialog) string { return d.codes[0] }}},
}

// start runs the command as a new user on a terminal in the host.
func start(t *testing.T, h *suite.Host, verify *standin.Server,
	command string) (d dialog, term *terminal.Terminal) {
	t.Helper()
	d = dialog{user: user(t, h), verify: verify}
	if command != "enroll" {
		must(t, d.user.Enroll())
		script(t, h, "enroll add totp --user "+d.user.Name+" --label spare --yes")
		d.codes = strings.Fields(script(t, h, "enroll codes --yes --user "+d.user.Name))
	}
	term = enrollAs(t, h, d.user, "trap : INT; "+command+"; echo status $?; stty -a")
	d.seen = term.Seen
	return d, term
}

func TestAbortAtAnyQuestionChangesNothingAndTheTerminalEchoes(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		v, s := verify(t, h, standin.Options{}), server(t, h, suite.PasswordAndCode)
		for command, questions := range dialogs {
			for n := range questions {
				for name, key := range map[string]string{"interrupted": "\x03", "ended": "\x04"} {
					t.Run(command+" at "+questions[n].asked+name, func(t *testing.T) {
						t.Parallel()
						d, term := start(t, h, v, command)
						record := "sha256sum /etc/latchkey/users/" + d.user.Name + " 2>&1; true"
						before := script(t, h, record)
						for _, q := range questions[:n] {
							must(t, term.Expect(q.asked))
							must(t, term.Type(q.answer(d)))
						}
						must(t, term.Expect(questions[n].asked))
						must(t, term.Type(key))
						must(t, term.Expect(`status [1-9]`))
						_, err := term.Exit()
						must(t, err)
						if !strings.Contains(term.Seen(), " echo ") {
							t.Errorf("the terminal does not echo any more: %q", term.Seen())
						}
						if after := script(t, h, record); after != before {
							t.Errorf("it was %s and is %s", before, after)
						}
						if d.user.Secret != "" {
							allowed(t, s, suite.Attempt{
								User:     d.user.Name,
								Password: suite.Password,
								Codes:    []string{d.user.Code()},
							})
						}
					})
				}
			}
		}
	})
}

// The allowed twin: a user who gives every answer gets what the command is for.
func TestEveryCommandThatAsksDoesItsWorkOnceAnswered(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		v := verify(t, h, standin.Options{})
		for command, questions := range dialogs {
			t.Run(command, func(t *testing.T) {
				t.Parallel()
				d, term := start(t, h, v, command)
				for _, q := range questions {
					must(t, term.Expect(q.asked))
					must(t, term.Type(q.answer(d)))
				}
				must(t, term.Expect(`status 0`))
			})
		}
	})
}
