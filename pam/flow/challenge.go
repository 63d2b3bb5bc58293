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
	r        Request
	policy   *policy.Policy
	methods  []policy.Method // that the rule allows
	limits   factor.Limits
	offer    offer
	requests int            // codes asked for so far
	when     moment         // before or after the first of them
	waiting  *record.Device // a phone whose code was asked for in an earlier login and still works
	landline state.DeviceID // a phone that Twilio said takes no SMS, just now
	notes    []string       // for the log
	texts    []string       // for the user, when the login is decided
}

// run asks for a code as often as the policy allows.
func (c *challenge) run() Outcome {
	o := c.begin()
	if o == undecided {
		o = c.ask()
	}
	// A terminal can be stopped, so even a message waits until nothing is locked.
	for _, text := range c.texts {
		c.Talk.Tell(text)
	}
	if o.Detail != "" { // in front, because the log cuts what is long
		c.notes = slices.Insert(c.notes, 0, o.Detail)
	}
	o.Detail = strings.Join(c.notes, "; ")
	return o
}

func (c *challenge) ask() Outcome {
	o, prompt := deny(Wrong, ""), c.firstPrompt()
	for try := 0; try < c.policy.Tries; {
		answer, err := c.Ask(prompt)
		if err != nil {
			return conversationEnded(o, err)
		}
		if wanted, ok := c.offer.parse(answer); ok {
			if c.requests > maxRequests {
				return Outcome{Reason: Locked, Tries: o.Tries, Detail: "asked for codes too often"}
			}
			prompt = c.request(wanted)
			continue
		}
		try++
		var said string
		o, said = c.guess(answer)
		o.Tries, prompt = try, c.offer.prompt(said, c.when)
		if said == "" {
			return o
		}
	}
	return o
}

func (c *challenge) say(text string) { c.texts = append(c.texts, text) }

// firstPrompt sends a code unasked only to a user who has nothing but one phone, and only if the policy says so.
func (c *challenge) firstPrompt() string {
	if c.waiting != nil && !c.offer.app {
		return c.offer.prompt(sentBefore(c.waiting), sent)
	}
	if c.policy.Phone.Auto && c.offer.alone && len(c.offer.phones) > 0 {
		return c.request(request{c.offer.channels[0], c.offer.phones[0]})
	}
	return c.offer.prompt("", before)
}

// begin decides whether there is anything to ask: its outcome is undecided if there is.
func (c *challenge) begin() Outcome {
	account, err := c.Keyring.Open(c.r.Name, c.r.UID)
	if errors.Is(err, factor.ErrUnenrolled) {
		return c.unenrolled(c.policy)
	}
	if err != nil {
		return c.unusable(err)
	}
	defer account.Close()
	c.offer = newOffer(account, c.methods, c.Clock())
	if c.offer.none() {
		c.say(noneUsable)
		return deny(Forbidden, "the user has no device of a method that is allowed here")
	}
	if o := c.locked(account); o != undecided {
		return o
	}
	if phone, standing := account.Sent(c.Clock(), c.offer.acceptsSent); standing == factor.Waiting {
		c.waiting, c.when = phone, after
	}
	return undecided
}

// unenrolled applies the policy's word for users without a record. Only an exact "allow", or a date that is not over,
// lets them pass.
func (c *challenge) unenrolled(p *policy.Policy) Outcome {
	if p.Unenrolled == policy.UnenrolledAllow {
		return allow(Unenrolled)
	}
	if !p.EnrollBy.IsZero() && c.Clock().Format(time.DateOnly) <= p.EnrollBy.String() {
		c.say(reminder(p.EnrollBy.String()))
		return allow(Unenrolled)
	}
	if p.Unenrolled == policy.UnenrolledEnroll {
		return c.setUp()
	}
	c.say(notSetUp)
	return deny(Unenrolled, "")
}

// setUp has the user enroll an app inside the login, unless codes of one would be no use here.
func (c *challenge) setUp() Outcome {
	if !slices.Contains(c.methods, policy.TOTP) {
		c.say(notSetUp)
		return deny(Unenrolled, "the rule allows no codes from apps, so the user cannot enroll in the login")
	}
	return c.Enroll(c.Flow, c.r, c.policy)
}

// unusable denies because of what Keyring.Open or Account.Verify said.
func (c *challenge) unusable(err error) Outcome {
	text := sorry
	if errors.Is(err, state.ErrSave) {
		text = notSaved
	}
	switch {
	case errors.Is(err, safefile.ErrGone):
		return deny(NoAnswer, err.Error())
	case errors.Is(err, factor.ErrUnenrolled):
		c.say(notSetUp)
		return deny(Unenrolled, "reset while the user was asked")
	case errors.Is(err, factor.ErrRecord):
		c.say(text)
		return deny(Record, err.Error())
	case errors.Is(err, factor.ErrState):
		c.say(text)
		return deny(State, err.Error())
	}
	c.say(text)
	return deny(Internal, err.Error())
}

func (c *challenge) locked(account *factor.Account) Outcome {
	now := c.Clock()
	end, err := account.LockedUntil(now, c.limits)
	if err != nil {
		return c.unusable(err)
	}
	if end.IsZero() {
		return undecided
	}
	c.say(lockedUntil(end, now))
	return deny(Locked, "until "+end.UTC().Format(time.RFC3339))
}

// guess judges one answer. It says nothing if the login is decided.
func (c *challenge) guess(answer string) (o Outcome, said string) {
	code, possible := factor.NormalizeAnswer(answer)
	if !possible {
		return deny(Wrong, "not a code"), notAccepted
	}
	account, err := c.Keyring.Open(c.r.Name, c.r.UID)
	if err != nil {
		return c.unusable(err), ""
	}
	c.noteDamage(account)
	phone, pending, o, said := c.compare(account, code)
	account.Close()
	if phone == nil {
		return o, said
	}
	return c.lockedNow(c.check(code, phone, pending))
}

// compare compares a code with what is known here. If that does not decide, and a code was sent to a phone, it returns
// the phone and the verification to ask Twilio about; the guess is then charged and the comparison booked.
func (c *challenge) compare(account *factor.Account, code string) (*record.Device, state.Pending, Outcome, string) {
	now := c.Clock()
	m, err := account.Verify(code, now, c.limits, c.offer.accepts)
	if _, digits := factor.Normalize(code); err == nil && m.Result == factor.Wrong && digits {
		var phone *record.Device
		var pending state.Pending
		if phone, pending, err = account.BookCheck(now, c.offer.acceptsSent); err == nil && phone != nil {
			return phone, pending, Outcome{}, ""
		}
	}
	if err != nil {
		return nil, state.Pending{}, c.unusable(err), ""
	}
	o, said := c.judge(m, account)
	return nil, state.Pending{}, o, said
}

func (c *challenge) judge(m factor.Match, account *factor.Account) (Outcome, string) {
	o := Outcome{Method: string(m.Method)}
	if m.Device != nil {
		o.Device = m.Device.Label
	}
	switch m.Result {
	case factor.Accepted:
		o.Allow, o.Reason = true, OK
		c.tellLeft(m, account.RecoveryLeft())
		return o, ""
	case factor.Replayed:
		o.Reason = Replayed
		if m.Method == record.RecoveryCode {
			return o, usedRecovery
		}
		return o, usedBefore
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
	return c.rejected(o, account)
}

// tellLeft tells how many recovery codes are left if one was used now, or if they are few.
func (c *challenge) tellLeft(m factor.Match, left int) {
	switch {
	case m.Method == record.RecoveryCode:
		c.say(codeUsed(left))
	case left > 0 && left <= fewCodes:
		c.say(fewLeft(left))
	}
}

// rejected tells the user of a code that was nobody's, and what became of the one that was sent.
func (c *challenge) rejected(o Outcome, account *factor.Account) (Outcome, string) {
	switch _, standing := account.Sent(c.Clock(), c.offer.acceptsSent); {
	case standing == factor.Exhausted:
		return o, noLonger
	case standing == factor.Outlived && c.when == after:
		o.Reason = Expired
		return o, codeExpired
	}
	return o, notAccepted
}

// lockedNow ends the login if the wrong code was the last one that the limit allows.
func (c *challenge) lockedNow(o Outcome, said string) (Outcome, string) {
	if said == "" || o.Reason == Replayed {
		return o, said
	}
	account, err := c.Keyring.Open(c.r.Name, c.r.UID)
	if err != nil {
		return c.unusable(err), ""
	}
	defer account.Close()
	if now := c.locked(account); now.Reason == Locked {
		o.Detail = "locked " + now.Detail
		return o, ""
	}
	return o, said
}
