package flow

import (
	"errors"
	"fmt"
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/twilio/protocol"
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

// send has a code sent and returns what the user is told, and whether a code is on its way.
// Everything that can refuse it locally is asked before any network, and the send is reserved
// before it happens: even if it then fails, no one can run up more sends than the limits allow.
func (d *dialog) send(c prompt.Choice) (said string, ok bool) {
	number := string(c.Phone.Secret)
	if !d.policy.Phone.Allows(number) {
		d.note("%s to %q: the number has none of the prefixes allowed in latchkey.toml", c.Channel,
			c.Phone.Label)
		return prompt.NotSent(c), false
	}
	if err := d.Verifier.Ready(); err != nil {
		d.note("%s to %q: %v", c.Channel, c.Phone.Label, err)
		return prompt.NotSent(c), false
	}
	now := d.Clock()
	wait, err := d.Keyring.ReserveSend(d.r.Account(), c.Phone.ID, d.sendLimits(c), now)
	if errors.Is(err, factor.ErrNotYet) {
		d.note("%s to %q: %v", c.Channel, c.Phone.Label, err)
		return prompt.WaitFor(wait), false
	}
	if err != nil {
		d.note("%s to %q: %v", c.Channel, c.Phone.Label, err)
		if errors.Is(err, safefile.ErrBusy) {
			// waiting for the lock again and again would use up the gate's time for this login
			d.requests = maxRequests
		}
		return prompt.NotSent(c), false
	}
	a := d.Verifier.Send(number, c.Channel, d.policy.Phone.Locale)
	if a.Result != protocol.Sent {
		return d.sendFailed(c, a), false
	}
	pending := state.Pending{Device: c.Phone.ID, At: now, Voice: c.Channel == method.Call,
		SID: a.SID}
	if err := d.Keyring.KeepPending(d.r.Account(), pending); err != nil {
		d.note("%s to %q was sent, but %v", c.Channel, c.Phone.Label, err)
		return prompt.NotSent(c), false
	}
	return prompt.SentTo(c), true
}

func (d *dialog) sendFailed(c prompt.Choice, a protocol.Answer) string {
	d.noteAnswer(fmt.Sprintf("%s to %q", c.Channel, c.Phone.Label), a)
	if a.Result == protocol.Landline && slices.Contains(d.choices.Channels, method.Call) {
		d.landline = c.Phone.ID
		return prompt.NoSMS(c)
	}
	return prompt.NotSent(c)
}

// sendLimits are the policy's. A user who was told to try a call need not wait for it.
func (d *dialog) sendLimits(c prompt.Choice) limit.Sends {
	limits := d.policy.Phone.Sends
	limits.AtOnce = c.Channel == method.Call && c.Phone.ID == d.landline
	d.landline = state.DeviceID{}
	return limits
}

// check has Twilio compare a code that no device here has, and that was charged as a guess. The
// account is closed while the network is asked. Only here does a code from a phone let anyone in.
func (d *dialog) check(code string, m factor.Match) turn {
	a, err := AskTwilio(d.Verifier, d.Keyring, d.r, m, code, d.limits, d.Clock)
	t := again(verdict.Outcome{Reason: verdict.Wrong,
		Method: string(prompt.Channel(
			a.Check.Pending)), Device: a.Check.Phone.Label}, prompt.NotAccepted)
	if err != nil {
		o := d.unusable(err)
		o.Method, o.Device = t.outcome.Method, t.outcome.Device
		return decided(o)
	}
	switch said := a.Said; {
	case a.Result == factor.Accepted:
		t.over, t.outcome.Allow, t.outcome.Reason = true, true, verdict.OK
		d.proven.Device = a.Check.Phone.ID
		d.letIn(m, prompt.Channel(a.Check.Pending))
		return t
	case said == factor.Approved:
		t.outcome.Reason = verdict.Replayed
		d.charged++
		return again(t.outcome, prompt.UsedBefore)
	case said == factor.Gone:
		t.outcome.Reason = verdict.Expired
		return d.wrong(again(t.outcome, prompt.CodeExpired), m, code)
	case said == factor.Exceeded || a.Answer.Result == protocol.Wrong && a.Check.Last():
		return d.wrong(again(t.outcome, prompt.CodeVoid), m, code)
	case a.Answer.Result == protocol.Wrong:
		return d.wrong(t, m, code)
	}
	d.noteAnswer(fmt.Sprintf("check of a code sent to %q", a.Check.Phone.Label), a.Answer)
	t.outcome.Reason = verdict.Service
	if t = again(t.outcome, prompt.NotChecked); a.Free {
		return t // the guess was taken back
	}
	return d.count(t, m)
}

// note keeps something for the log, once: the administrator should know of it, however the login
// ends.
func (d *dialog) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(d.notes, text) {
		d.notes = append(d.notes, text)
	}
}

// noteDamage tells the administrator of a damaged slot, which the next commit rewrites.
func (d *dialog) noteDamage(account *factor.Account) {
	if damage := account.State.Damage; damage != "" {
		d.note("%s", damage)
	}
}

func (d *dialog) noteAnswer(what string, a protocol.Answer) {
	d.note("%s: %s", what, a.Because())
}
