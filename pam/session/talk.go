package session

import (
	"errors"
	"strings"
	"time"

	"latchkey/pam/flow"
)

// talk is the conversation with the user, by way of the gate.
type talk struct {
	wire   *wire
	clock  func() time.Time
	waited time.Duration // for the user, in total
}

// Ask implements flow.Conversation. A code is asked for with echo: it is worthless once used,
// people mistype what they cannot see, and sshd's "password" method, which would answer a hidden
// prompt with the password, ends here instead.
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

// TellLater implements flow.Conversation.
func (t *talk) TellLater(text string) error {
	_, err := t.wire.call('L', text)
	return err
}

// InGroup implements flow.Conversation.
func (t *talk) InGroup(group string) (bool, error) {
	kind, answer, err := t.wire.exchange('G', group)
	switch {
	case err != nil:
		return false, err
	case kind == 'A' && (answer == "yes" || answer == "no"):
		return answer == "yes", nil
	case kind == 'C' && !t.wire.hostGone():
		return false, errors.New(untold(answer))
	case kind == 'C':
		return false, flow.ErrConversation
	}
	return false, errors.New("the gate answered neither yes nor no")
}

// untold returns why the gate could not answer: the text after the code.
func untold(answer string) string {
	if _, why, ok := strings.Cut(answer, " "); ok && why != "" {
		return why
	}
	return "the name service cannot tell"
}
