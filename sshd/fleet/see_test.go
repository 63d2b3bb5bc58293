package fleet_test

import (
	"errors"
	"strings"
	"testing"

	"latchkey/sshd/fleet"
	"latchkey/sshd/suite"
)

// pause is where a login waits for a person, or ends.
const pause = `Verification code: |in1side|Permission denied|closed|reset`

// see logs in as a person does, and gives what the terminal showed and whether that was a session.
// What is typed answers the prompts for a code, one after the other; then it hangs up.
func see(t *testing.T, h *fleet.Host, user string, typed ...string) (shown string, in bool) {
	t.Helper()
	shown, in, err := seen(h, user, typed)
	must(t, err)
	return shown, in
}

func seen(h *fleet.Host, user string, typed []string) (shown string, in bool, err error) {
	client, err := h.SSHD.Terminal(suite.OpenSSH{User: user, Options: []string{"LogLevel=INFO"}},
		"host", "echo in$((0+1))side")
	if err != nil {
		return "", false, err
	}
	defer client.Close()
	err = errors.Join(client.Expect(`Password: `), client.Type(suite.Password),
		client.Expect(pause))
	for _, code := range typed {
		if err != nil || !strings.HasSuffix(client.Seen(), "Verification code: ") {
			break
		}
		err = errors.Join(client.Type(code), client.Expect(pause))
	}
	return client.Seen(), strings.Contains(client.Seen(), "in1side"), err
}

// lastLine is the newest audit line of a user on a host, of at least n.
func lastLine(t *testing.T, h *fleet.Host, user string, n int) string {
	t.Helper()
	lines, err := h.Audit(user, n)
	must(t, err)
	return lines[len(lines)-1]
}

// contains demands that a text has all of some parts; line breaks count as spaces.
func contains(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	text = strings.Join(strings.Fields(text), " ")
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s: got %q, want %q", what, text, part)
		}
	}
}
