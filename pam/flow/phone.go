package flow

import (
	"errors"
	"fmt"
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/twilio/protocol"
)

// maxRequests is how many codes can be asked for in one login: asking costs no try, so something must end it.
const maxRequests = 10

// request has a code sent and returns the next prompt.
func (c *challenge) request(r request) string {
	if c.requests++; c.requests > maxRequests {
		return c.offer.prompt(enoughAsked, c.when)
	}
	said, ok := c.send(r)
	if !ok {
		return c.offer.prompt(said, c.when)
	}
	c.when = after
	return c.offer.prompt(said, sent)
}

// send has a code sent and returns what the user is told, and whether a code is on its way. Everything that can refuse it
// locally is asked before any network, and the send is booked before it happens: whether it then fails or not, nobody
// can run up more sends than the limits allow.
func (c *challenge) send(r request) (said string, ok bool) {
	number := string(r.phone.Secret)
	if !c.policy.Phone.Allows(number) {
		c.note("%s to %q: the number has none of the prefixes allowed in latchkey.toml", r.channel, r.phone.Label)
		return notSent(r), false
	}
	if err := c.Verifier.Ready(); err != nil {
		c.note("%s to %q: %v", r.channel, r.phone.Label, err)
		return notSent(r), false
	}
	now := c.Clock()
	wait, err := c.Keyring.BookSend(c.r.Name, c.r.UID, r.phone.ID, c.sendLimits(r), now)
	if errors.Is(err, factor.ErrNotYet) {
		c.note("%s to %q: %v", r.channel, r.phone.Label, err)
		return waitFor(wait), false
	}
	if err != nil {
		c.note("%s to %q: %v", r.channel, r.phone.Label, err)
		if errors.Is(err, safefile.ErrBusy) {
			c.requests = maxRequests // waiting for the lock again and again would use up the gate's time for this login
		}
		return notSent(r), false
	}
	a := c.Verifier.Send(number, protocol.Channel(r.channel), c.policy.Phone.Locale)
	if a.Result != protocol.Sent {
		return c.sendFailed(r, a), false
	}
	pending := state.Pending{Device: r.phone.ID, At: now, Voice: r.channel == policy.Call, SID: a.SID}
	if err := c.Keyring.KeepPending(c.r.Name, c.r.UID, pending); err != nil {
		c.note("%s to %q was sent, but %v", r.channel, r.phone.Label, err)
		return notSent(r), false
	}
	return sentTo(r), true
}

func (c *challenge) sendFailed(r request, a protocol.Answer) string {
	c.noteAnswer(fmt.Sprintf("%s to %q", r.channel, r.phone.Label), a)
	if a.Result == protocol.Landline && slices.Contains(c.offer.channels, policy.Call) {
		c.landline = r.phone.ID
		return noSMS(r)
	}
	return notSent(r)
}

// sendLimits are the policy's. Who was told to try a call need not wait for it.
func (c *challenge) sendLimits(r request) factor.SendLimits {
	p := c.policy.Phone
	limits := factor.SendLimits{
		User:   factor.Rate(p.SendsPerUser),
		Host:   factor.Rate(p.SendsPerHost),
		AtOnce: r.channel == policy.Call && r.phone.ID == c.landline,
	}
	c.landline = state.DeviceID{}
	return limits
}

// check compares a code, which was charged as a guess and is no device's own, with the verification that is pending. The
// account is closed by the caller before the network is asked.
func (c *challenge) check(code string, phone *record.Device, p state.Pending) (o Outcome, said string) {
	o = Outcome{Reason: Wrong, Method: string(channelOf(p)), Device: phone.Label}
	a := c.Verifier.Check(string(phone.Secret), p.SID, code)
	switch a.Result {
	case protocol.Approved:
		return c.endCheck(o, p, true)
	case protocol.Wrong:
		if factor.LastCheck(p) {
			return o, noLonger
		}
		return o, notAccepted
	case protocol.Gone:
		o.Reason = Expired
		return c.endCheck(o, p, false)
	case protocol.TooManyChecks:
		return c.exhaust(o, p)
	}
	c.noteAnswer(fmt.Sprintf("check of a code sent to %q", phone.Label), a)
	o.Reason = Service
	if a.NothingSent() {
		if err := c.Keyring.ReturnCheck(c.r.Name, c.r.UID, p, c.limits); err != nil {
			return c.unusable(err), ""
		}
	}
	return o, noChecking
}

// endCheck uses the verification up. Only here does a code from a phone let anybody in.
func (c *challenge) endCheck(o Outcome, p state.Pending, approved bool) (Outcome, string) {
	result, err := c.Keyring.EndCheck(c.r.Name, c.r.UID, p, approved, c.limits, c.Clock())
	switch {
	case err != nil:
		denied := c.unusable(err)
		denied.Method, denied.Device = o.Method, o.Device
		return denied, ""
	case approved && result == factor.Accepted:
		o.Allow, o.Reason = true, OK
		return o, ""
	case approved:
		o.Reason = Replayed
		return o, usedBefore
	case o.Reason == Expired:
		return o, codeExpired
	}
	return o, notAccepted
}

// exhaust notes that Twilio compares no more codes with the verification.
func (c *challenge) exhaust(o Outcome, p state.Pending) (Outcome, string) {
	if err := c.Keyring.Exhaust(c.r.Name, c.r.UID, p); err != nil {
		return c.unusable(err), ""
	}
	return o, noLonger
}

// note keeps something for the log, once: the administrator should know of it whatever the login comes to.
func (c *challenge) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(c.notes, text) {
		c.notes = append(c.notes, text)
	}
}

// noteDamage tells the administrator of a damaged slot, which the next commit writes anew.
func (c *challenge) noteDamage(account *factor.Account) {
	if damage := account.State.Damage; damage != "" {
		c.note("%s", damage)
	}
}

func (c *challenge) noteAnswer(what string, a protocol.Answer) {
	c.note("%s: %s", what, a.Because())
}
