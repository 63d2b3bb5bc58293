package flow

import (
	"errors"
	"slices"
	"strings"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// challenge is one user being asked. It opens the user's account for each step and closes it before the next prompt, so
// that nothing is locked while somebody types and what enroll changed meanwhile counts.
type challenge struct {
	Flow
	r       Request
	limits  factor.Limits
	allowed func(*record.Device) bool
}

// begin decides whether there is anything to ask: its outcome's reason is OK if there is.
func (c challenge) begin(p *policy.Policy) Outcome {
	account, err := c.Keyring.Open(c.r.Name, c.r.UID)
	if errors.Is(err, factor.ErrUnenrolled) {
		return c.unenrolled(p)
	}
	if err != nil {
		return c.unusable(err)
	}
	defer account.Close()
	if !slices.ContainsFunc(account.Record.Devices, func(d record.Device) bool { return c.allowed(&d) }) {
		c.Talk.Tell(noneUsable)
		return deny(Forbidden, "the user has no device of a method that is allowed here")
	}
	if o := c.locked(account); o.Reason != OK {
		return o
	}
	return Outcome{Reason: OK}
}

// unenrolled applies the policy's word for users without a record. Only an exact "allow", or a date that is not over,
// lets them pass.
func (c challenge) unenrolled(p *policy.Policy) Outcome {
	if p.Unenrolled == policy.UnenrolledAllow {
		return allow(Unenrolled)
	}
	if !p.EnrollBy.IsZero() && c.Clock().Format(time.DateOnly) <= p.EnrollBy.String() {
		c.Talk.Tell(reminder(p.EnrollBy.String()))
		return allow(Unenrolled)
	}
	c.Talk.Tell(notSetUp)
	return deny(Unenrolled, "")
}

// unusable denies because of what Keyring.Open or Account.Verify said.
func (c challenge) unusable(err error) Outcome {
	text := sorry
	if errors.Is(err, state.ErrSave) {
		text = notSaved
	}
	switch {
	case errors.Is(err, safefile.ErrGone):
		return deny(NoAnswer, err.Error())
	case errors.Is(err, factor.ErrUnenrolled):
		c.Talk.Tell(notSetUp)
		return deny(Unenrolled, "reset while the user was asked")
	case errors.Is(err, factor.ErrRecord):
		c.Talk.Tell(text)
		return deny(Record, err.Error())
	case errors.Is(err, factor.ErrState):
		c.Talk.Tell(text)
		return deny(State, err.Error())
	}
	c.Talk.Tell(text)
	return deny(Internal, err.Error())
}

func (c challenge) locked(account *factor.Account) Outcome {
	now := c.Clock()
	end, err := account.LockedUntil(now, c.limits)
	if err != nil {
		return c.unusable(err)
	}
	if end.IsZero() {
		return Outcome{Reason: OK}
	}
	c.Talk.Tell(lockedUntil(end, now))
	return deny(Locked, "until "+end.UTC().Format(time.RFC3339))
}

// guess judges one answer. The next prompt is empty if the login is decided.
func (c challenge) guess(answer string) (Outcome, string) {
	code, possible := factor.Normalize(answer)
	if !possible {
		return deny(Wrong, "not a code"), wrongPrompt
	}
	account, err := c.Keyring.Open(c.r.Name, c.r.UID)
	if err != nil {
		return c.unusable(err), ""
	}
	defer account.Close()
	damage := account.State.Damage
	m, err := account.Verify(code, c.Clock(), c.limits, c.allowed)
	if err != nil {
		return c.unusable(err), ""
	}
	o, prompt := c.judge(m, account)
	if o.Detail == "" {
		o.Detail = damage
	}
	return o, prompt
}

func (c challenge) judge(m factor.Match, account *factor.Account) (Outcome, string) {
	var o Outcome
	if m.Device != nil {
		o.Method, o.Device = string(m.Device.Type), m.Device.Label
	}
	switch m.Result {
	case factor.Accepted:
		o.Allow, o.Reason = true, OK
		return o, ""
	case factor.Replayed:
		o.Reason = Replayed
		return o, replayedPrompt
	case factor.Locked:
		o = c.locked(account)
		o.Reason = Locked // also if the lock ended this very instant: nothing was compared
		return o, ""
	}
	o.Reason = Wrong
	if now := c.locked(account); now.Reason == Locked {
		o.Detail = "locked " + now.Detail
		return o, ""
	}
	return o, wrongPrompt
}

// junk is what sshd puts in place of the answers of users that may not log in (OpenSSH, auth-pam.c), repeated or cut
// to the length of what was typed. It is no guess: counting it would let strangers lock an account.
const junk = "\b\n\r\177INCORRECT"

func fromSSHD(answer string) bool {
	if answer == "" {
		return false
	}
	return strings.HasPrefix(strings.Repeat(junk, len(answer)/len(junk)+1), answer)
}
