package session

import (
	"errors"
	"time"

	"latchkey/pam/flow"
)

// talk is the conversation with the user, by way of the gate.
type talk struct {
	wire   *wire
	clock  func() time.Time
	waited time.Duration // for the user, in all
}

// Ask implements flow.Conversation. A code is asked for with echo: it is worthless once used, people mistype what they
// cannot see, and sshd's "password" method, which would answer a hidden prompt with the password, ends here instead.
func (t *talk) Ask(prompt string) (string, error) {
	began := t.clock()
	answer, err := t.wire.call('Q', prompt)
	t.waited += t.clock().Sub(began)
	return answer, err
}

// Tell implements flow.Conversation.
func (t *talk) Tell(text string) error {
	_, err := t.wire.call('E', text)
	return err
}

// InGroup implements flow.Conversation.
func (t *talk) InGroup(group string) (bool, error) {
	answer, err := t.wire.call('G', group)
	switch {
	case errors.Is(err, flow.ErrConversation) && !t.wire.hostGone():
		return false, errors.New("the name service cannot tell")
	case err != nil:
		return false, err
	case answer == "yes" || answer == "no":
		return answer == "yes", nil
	}
	return false, errors.New("the gate answered neither yes nor no")
}
