package prompt

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/method"
	"latchkey/pam/state"
)

// has is what a user has.
type has = authority.Choices

// all are the choices of every combination of devices.
func all() (all []Choices) {
	channels := [][]method.Method{{method.SMS, method.Call}, {method.SMS}, {method.Call}}
	for n := range state.MaxDevices + 1 {
		for own := range 4 {
			for i := range 12 {
				c := Choices{Choices: has{App: own%2 == 1, Token: own/2 == 1,
					Recovery: i%2 == 1, Bypass: i/2%2 == 1}}
				for m := range n {
					c.Phones = append(c.Phones, authority.Device{Type: method.Phone,
						Hint: fmt.Sprintf("...%04d", 1000+m)})
				}
				if n > 0 {
					c.Channels = channels[i/4]
				}
				if !c.None() {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

func TestEveryPromptFitsEightyColumns(t *testing.T) {
	phone := authority.Device{Type: method.Phone, Hint: "...1234"}
	sms, call := Choice{method.SMS, phone}, Choice{method.Call, phone}
	said := []string{
		"", NotAccepted, UsedBefore, CodeExpired, UsedRecovery, NotChecked, EnoughAsked, CodeVoid,
		NotACode,
		NotSent(sms), NotSent(call), NoSMS(sms), WaitFor(59 * time.Second),
		WaitFor(59 * time.Minute),
	}
	for _, c := range all() {
		for _, s := range said {
			fits(t, c.Prompt(s, NothingSent))
			fits(t, c.Prompt(s, SentEarlier))
		}
		for _, s := range []string{SentTo(sms), SentTo(call), SentBefore(phone)} {
			fits(t, c.Prompt(s, SentNow))
		}
	}
}

// fits demands lines of 80 columns of ASCII, the first after "(alice@host) ", and the usual end.
func fits(t *testing.T, prompt string) {
	t.Helper()
	for _, line := range strings.Split("(alice@host) "+strings.TrimSuffix(prompt, " "), "\n") {
		if len(line) > 80 || strings.ContainsFunc(line,
			func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("got %q, want a line of 80 columns of ASCII", line)
		}
	}
	if !strings.HasSuffix(prompt, AsksForCode) {
		t.Errorf("got %q, want a prompt that ends in %q", prompt, AsksForCode)
	}
}

func TestPromptNamesTheRecoveryCodeWherePhonesFail(t *testing.T) {
	phone := authority.Device{Type: method.Phone, Hint: "...1234"}
	both := []method.Method{method.SMS, method.Call}
	c := Choices{Choices: has{Phones: []authority.Device{phone}, Channels: both,
		Recovery: true}}
	for said, want := range map[string]string{
		NotSent(Choice{method.SMS,
			phone}): "No SMS to ...1234. Use a recovery code. Verification code: ",
		NotSent(Choice{method.Call,
			phone}): "No call to ...1234. Use a recovery code. Verification code: ",
		NotChecked: "It could not be checked. Use a recovery code. Verification code: ",
	} {
		if got := c.Prompt(said, NothingSent); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
