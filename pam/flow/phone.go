package flow

import (
	"errors"
	"slices"

	"latchkey/pam/authority"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/method"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// maxRequests is how many codes can be asked for in one login: asking costs no try, so something
// must end it.
const maxRequests = 10

// request has a code sent and returns the next prompt.
func (d *dialog) request(c prompt.Choice) string {
	if d.requests++; d.requests > maxRequests {
		return d.choices.Prompt(prompt.EnoughAsked, d.when)
	}
	said, ok := d.send(c)
	if !ok {
		return d.choices.Prompt(said, d.when)
	}
	d.when = prompt.SentEarlier
	return d.choices.Prompt(said, prompt.SentNow)
}

// send has a code sent and returns what the user is told, and whether a code is on its way. A user
// who was told to try a call need not wait for it.
func (d *dialog) send(c prompt.Choice) (said string, ok bool) {
	atOnce := c.Channel == method.Call && c.Phone.ID == d.landline
	d.landline = state.DeviceID{}
	sent, err := d.Authority.Send(authority.Send{Login: d.login, To: c.Phone.ID,
		Channel: c.Channel, Phone: d.policy.Phone, AtOnce: atOnce})
	switch {
	case err != nil && sent.Lost:
		d.note("%s to %q was sent, but %v", c.Channel, c.Phone.Label, err)
	case err != nil:
		d.note("%s to %q: %v", c.Channel, c.Phone.Label, err)
		if errors.Is(err, safefile.ErrBusy) {
			// waiting for the lock again and again would use up the gate's time for this login
			d.requests = maxRequests
		}
	case sent.OK:
		return prompt.SentTo(c), true
	default:
		d.note("%s to %q: %s", c.Channel, c.Phone.Label, sent.Because)
	}
	switch {
	case sent.Wait > 0:
		return prompt.WaitFor(sent.Wait), false
	case sent.Landline && slices.Contains(d.choices.Channels, method.Call):
		d.landline = c.Phone.ID
		return prompt.NoSMS(c), false
	}
	return prompt.NotSent(c), false
}
