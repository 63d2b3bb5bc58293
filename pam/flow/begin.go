package flow

import (
	"errors"
	"slices"
	"time"

	"latchkey/pam/factor"
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
	account, err := d.Keyring.Open(d.r.Account())
	if errors.Is(err, factor.ErrUnenrolled) {
		return d.unenrolled()
	}
	if err != nil {
		return d.unusable(err)
	}
	defer account.Close()
	if o := d.byKey(account); o != verdict.Undecided {
		return o
	}
	d.choices = prompt.NewChoices(account, d.methods, d.Clock())
	d.choices.InFront = d.inFront()
	if d.choices.None() {
		return d.nothingToAsk(account)
	}
	lockout, err := account.Lockout(d.Clock(), d.limits)
	if err != nil {
		return d.unusable(err)
	}
	if lockout.Locked() {
		return d.denyLocked(lockout)
	}
	if o := d.byTrust(account); o != verdict.Undecided {
		return o
	}
	d.began = account.State.Refused
	if phone, standing := account.LatestSent(d.Clock(),
		d.choices.AcceptsSent); standing == factor.Waiting {
		d.waiting, d.when = phone, prompt.SentEarlier
	}
	return verdict.Undecided
}

// unenrolled applies the policy's word for users without a record. Only an exact "allow", or a
// date that is not over, lets them pass.
func (d *dialog) unenrolled() verdict.Outcome {
	switch n := d.newcomers; {
	case n.Then == policy.UnenrolledAllow:
		return verdict.Allow(verdict.Unenrolled)
	case n.Remind(d.Clock()):
		d.say(prompt.Reminder(n.EnrollBy.String()))
		return verdict.Allow(verdict.Unenrolled)
	case n.Then == policy.UnenrolledEnroll:
		return d.setUp()
	}
	d.say(prompt.NotSetUp)
	return verdict.Deny(verdict.Unenrolled, "")
}

// setUp has the user enroll an app inside the login, unless codes of one would be no use here.
func (d *dialog) setUp() verdict.Outcome {
	if !slices.Contains(d.methods, method.TOTP) {
		d.say(prompt.NotSetUp)
		return verdict.Deny(verdict.Unenrolled,
			"the rule allows no codes from apps, so the user cannot enroll in the login")
	}
	return verdict.Outcome{Reason: verdict.MustEnroll, Policy: d.policy}
}

// unusable denies because of what Keyring.Open or Account.Verify said.
func (d *dialog) unusable(err error) verdict.Outcome {
	text := prompt.Sorry
	if errors.Is(err, state.ErrSave) {
		text = prompt.NotSaved
	}
	switch {
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
