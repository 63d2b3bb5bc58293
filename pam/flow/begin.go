package flow

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// begin decides whether there is anything to ask: its outcome is verdict.Undecided if there is.
func (d *dialog) begin() verdict.Outcome {
	b, err := d.Authority.Begin(d.login)
	switch {
	case errors.Is(err, authority.ErrLeftBehind):
		d.say(prompt.NotSetUp)
		return verdict.Deny(verdict.Unenrolled, authority.ErrLeftBehind.Error())
	case errors.Is(err, factor.ErrUnenrolled):
		return d.unenrolled()
	}
	if err != nil {
		return d.unusable(err)
	}
	d.choices = prompt.Choices{Choices: b.Choices, Offline: b.Offline, InFront: d.inFront()}
	switch b.Result {
	case authority.Ask:
		d.began = b
		if b.Waiting != nil {
			d.when = prompt.SentEarlier
		}
		return verdict.Undecided
	case authority.Accepted: // by a security key, or from a trusted computer
		d.tellRefused(b.Refused)
		d.network(b.NewNetwork)
		return verdict.Outcome{
			Allow: true, Reason: verdict.OK, Method: string(b.Method), Device: b.Device.Label,
		}
	case authority.Locked:
		return d.denyLocked(b.Lockout)
	case authority.Nothing:
		return d.nothingToAsk()
	}
	return d.unusable(errNoAnswer)
}

var errNoAnswer = errors.New("the authority gave no answer that is known")

// nothingToAsk denies a user for whom no prompt would be of any use.
func (d *dialog) nothingToAsk() verdict.Outcome {
	if d.choices.Key {
		d.say(prompt.OnlyKey)
		return verdict.Deny(verdict.Forbidden,
			"sshd has accepted no security key of the user's, who has nothing else")
	}
	d.say(prompt.NoneUsable)
	return verdict.Deny(verdict.Forbidden,
		"the user has no device of a method that is allowed here")
}

// unenrolled applies the policy's word for users without a record. Only an exact "allow", or a
// date that is not over, lets them pass.
func (d *dialog) unenrolled() verdict.Outcome {
	switch n := d.newcomers; {
	case n.Then == policy.UnenrolledAllow:
		return verdict.Allow(verdict.Unenrolled)
	case n.Remind(d.Clock()):
		d.remind(prompt.Reminder(n.EnrollBy.String()))
		return verdict.Allow(verdict.Unenrolled)
	case n.Then == policy.UnenrolledEnroll:
		return d.setUp()
	}
	d.say(prompt.NotSetUp)
	return verdict.Deny(verdict.Unenrolled, "")
}

// remind tells a user who is let in what is wanted of them some day: at every login, and so not in
// those of programs.
func (d *dialog) remind(text string) {
	if !d.r.BySSHD {
		d.say(text)
		return
	}
	d.Talk.TellLater(prompt.Wrap(text))
}

// setUp has the user enroll an app inside the login, unless codes of one would be no use here.
func (d *dialog) setUp() verdict.Outcome {
	if !slices.Contains(d.login.Methods, method.TOTP) {
		d.say(prompt.NotSetUp)
		return verdict.Deny(verdict.Unenrolled,
			"the rule allows no codes from apps, so the user cannot enroll in the login")
	}
	return verdict.Outcome{Reason: verdict.MustEnroll, Policy: d.policy}
}

// unusable denies because of an error of the authority.
func (d *dialog) unusable(err error) verdict.Outcome {
	text := prompt.Sorry
	if errors.Is(err, state.ErrSave) {
		text = prompt.NotSaved
	}
	var fleet *wire.Error
	switch {
	case errors.As(err, &fleet):
		d.say(prompt.Fault(fleet.Fault))
		return verdict.Deny(verdict.Fleet,
			strings.TrimSpace(fmt.Sprintf("(%s) %s", fleet.Fault, fleet.Text)))
	case errors.Is(err, authority.ErrConfig):
		d.say(text)
		return verdict.Deny(verdict.Config, err.Error())
	case errors.Is(err, safefile.ErrGone):
		return verdict.Deny(verdict.NoAnswer, err.Error())
	case errors.Is(err, factor.ErrUnenrolled):
		d.say(prompt.NotSetUp)
		return verdict.Deny(verdict.Unenrolled, "reset during the login")
	case errors.Is(err, factor.ErrRecord):
		d.say(text)
		return verdict.Deny(verdict.Record, err.Error())
	case errors.Is(err, factor.ErrState):
		d.say(text)
		return verdict.Deny(verdict.State, err.Error())
	}
	d.say(text)
	return verdict.Deny(verdict.Internal, err.Error())
}

// denyLocked denies because of a lock, and tells the user how it ends.
func (d *dialog) denyLocked(l limit.Lockout) verdict.Outcome {
	if l.UntilRoot {
		d.say(prompt.LockedForGood)
		return verdict.Deny(verdict.Locked, "until root unlocks it: enroll unlock "+d.r.Name)
	}
	d.say(prompt.LockedUntil(l.Until, d.Clock()))
	return verdict.Deny(verdict.Locked, "until "+l.Until.UTC().Format(time.RFC3339))
}
