package flow

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
func all() (all []choices) {
	channels := [][]method.Method{{method.SMS, method.Call}, {method.SMS}, {method.Call}}
	for n := range state.MaxDevices + 1 {
		for _, own := range []string{"", "app", "token", "app or token"} {
			for i := range 12 {
				c := choices{own: own, recovery: i%2 == 1, bypass: i/2%2 == 1}
				for m := range n {
					number := fmt.Sprintf("+1555000%04d", 1000+m)
					c.phones = append(c.phones, record.Device{Type: method.Phone, Secret: []byte(number)})
				}
				if n > 0 {
					c.channels = channels[i/4]
				}
				if !c.none() {
					all = append(all, c)
				}
			}
		}
	}
	return all
}

func TestPromptsFitEightyColumnsWhateverTheDevicesAndWhateverIsSaid(t *testing.T) {
	phone := record.Device{Type: method.Phone, Secret: []byte("+15550001234")}
	sms, call := request{method.SMS, phone}, request{method.Call, phone}
	said := []string{
		"", notAccepted, usedBefore, codeExpired, usedRecovery, noChecking, enoughAsked, noLonger, notACode,
		notSent(sms), notSent(call), noSMS(sms), waitFor(59 * time.Second), waitFor(59 * time.Minute),
	}
	for _, c := range all() {
		for _, s := range said {
			fits(t, c.prompt(s, before))
			fits(t, c.prompt(s, after))
		}
		for _, s := range []string{sentTo(sms), sentTo(call), sentBefore(&phone)} {
			fits(t, c.prompt(s, sent))
		}
	}
}

// fits demands lines of 80 columns of ASCII, the first after "(alice@host) ", and the usual end.
func fits(t *testing.T, prompt string) {
	t.Helper()
	for _, line := range strings.Split("(alice@host) "+strings.TrimSuffix(prompt, " "), "\n") {
		if len(line) > 80 || strings.ContainsFunc(line, func(c rune) bool { return c < ' ' || c > '~' }) {
			t.Errorf("got %q, want a line of 80 columns of ASCII", line)
		}
	}
	if !strings.HasSuffix(prompt, asksForCode) {
		t.Errorf("got %q, want a prompt that ends in %q", prompt, asksForCode)
	}
}

func TestPromptNamesTheRecoveryCodeWherePhonesFail(t *testing.T) {
	phone := record.Device{Type: method.Phone, Secret: []byte("+15550001234")}
	both := []method.Method{method.SMS, method.Call}
	c := choices{phones: []record.Device{phone}, channels: both, recovery: true}
	for said, want := range map[string]string{
		notSent(request{method.SMS, phone}):  "No SMS to ...1234. Use a recovery code. Verification code: ",
		notSent(request{method.Call, phone}): "No call to ...1234. Use a recovery code. Verification code: ",
		noChecking:                           "It could not be checked. Use a recovery code. Verification code: ",
	} {
		if got := c.prompt(said, before); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
