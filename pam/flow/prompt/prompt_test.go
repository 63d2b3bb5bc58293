package prompt

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// all are the choices of every combination of devices.
func all() (all []Choices) {
	channels := [][]method.Method{{method.SMS, method.Call}, {method.SMS}, {method.Call}}
	for n := range state.MaxDevices + 1 {
		for _, own := range []string{"", "app", "token", "app or token"} {
			for i := range 12 {
				c := Choices{Own: own, recovery: i%2 == 1, bypass: i/2%2 == 1}
				for m := range n {
					number := fmt.Sprintf("+1555000%04d", 1000+m)
					c.Phones = append(c.Phones,
						record.Device{Type: method.Phone, Secret: []byte(number)})
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
	phone := record.Device{Type: method.Phone, Secret: []byte("+15550001234")}
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
		for _, s := range []string{SentTo(sms), SentTo(call), SentBefore(&phone)} {
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
	phone := record.Device{Type: method.Phone, Secret: []byte("+15550001234")}
	both := []method.Method{method.SMS, method.Call}
	c := Choices{Phones: []record.Device{phone}, Channels: both, recovery: true}
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
