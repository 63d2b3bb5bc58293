package flow

import (
	"errors"
	"strings"

	"latchkey/pam/flow/verdict"
)

// Ask shows a prompt and returns what the user typed, or nothing if that was the password. The
// error matches ErrConversation if there was no answer, and also if sshd answered in place of a
// user who may not log in: such an answer is not a guess, or strangers could lock accounts.
func (f Flow) Ask(prompt string) (string, error) {
	answer, err := f.answer(prompt)
	if errors.Is(err, ErrPassword) {
		return "", nil
	}
	return answer, err
}

// answer is Ask for a caller that tells a password from other answers: the error then matches
// ErrPassword.
func (f Flow) answer(prompt string) (string, error) {
	answer, err := f.Talk.Ask(prompt)
	if err == nil && fromSSHD(answer) {
		return "", junkError{}
	}
	return answer, err
}

// junkError is an ErrConversation: sshd answered.
type junkError struct{}

func (junkError) Error() string {
	return ErrConversation.Error() + ": sshd does not let this user in (see PermitRootLogin, " +
		"AllowUsers) and answered in the user's place"
}

func (junkError) Unwrap() error { return ErrConversation }

// junk is what sshd puts in place of the answers of users who may not log in (OpenSSH,
// auth-pam.c), repeated or cut to the length of what was typed.
const junk = "\b\n\r\177INCORRECT"

func fromSSHD(answer string) bool {
	if answer == "" {
		return false
	}
	return strings.HasPrefix(strings.Repeat(junk, len(answer)/len(junk)+1), answer)
}

// conversationEnded keeps what is known from earlier tries and says that there was no further
// answer.
func conversationEnded(o verdict.Outcome, err error) verdict.Outcome {
	o.Reason = verdict.NoAnswer
	if errors.Is(err, junkError{}) {
		_, o.Detail, _ = strings.Cut(err.Error(), ": ")
	} else if !errors.Is(err, ErrConversation) {
		o.Detail = err.Error()
	}
	return o
}
