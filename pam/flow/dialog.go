package flow

import (
	"errors"
	"slices"
	"strings"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/notify/event"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/trust"
)

// dialog is one user being asked. It opens the user's account for each step and closes it before
// the next prompt, so that nothing is locked while the user types, and what enroll changed
// meanwhile counts.
type dialog struct {
	Flow
	r        Request
	policy   *policy.Policy
	methods  []method.Method // that the rule allows
	limits   limit.Guesses
	computer trust.Computer // that the user may trust
	trusting bool           // the user trusts some computer
	proven   trust.Proven   // to be shown again before the user does
	choices  prompt.Choices
	requests int            // codes asked for so far
	when     prompt.Moment  // before or after the first of them
	waiting  *record.Device // a phone whose code was asked for in an earlier login and still works
	landline state.DeviceID // a phone that Twilio said takes no SMS, just now
	refused  []string       // codes that were wrong in this login
	charged  uint32         // guesses of this login that were charged
	spared   int            // answers of this login that cost nothing
	began    state.Refused  // what was refused before this login
	notes    []string       // for the log
	texts    []string       // for the user, when the login is decided
}

// turn is what an answer led to. The zero turn asks again and lets no one in.
type turn struct {
	over    bool            // the login is decided
	outcome verdict.Outcome // of the login, if it is over or the user no longer answers
	say     string          // to the user, with the next prompt
}

// again asks once more.
func again(o verdict.Outcome, say string) turn { return turn{outcome: o, say: say} }

// decided ends the login.
func decided(o verdict.Outcome) turn { return turn{over: true, outcome: o} }

// run asks for a code as often as the policy allows.
func (d *dialog) run() verdict.Outcome {
	o := d.begin()
	if o == verdict.Undecided {
		o = d.ask()
	}
	d.tell()
	d.offerTrust(o)
	if o.Detail != "" { // in front, because the log cuts what is long
		d.notes = slices.Insert(d.notes, 0, o.Detail)
	}
	o.Detail = strings.Join(d.notes, "; ")
	return o
}

// tell shows what is to be said when the login is decided.
func (d *dialog) tell() {
	// A terminal can be stopped, so even a message waits until nothing is locked.
	for _, text := range d.texts {
		d.Talk.Tell(text)
	}
}

// ask shows prompts until a turn decides the login or the tries are used up.
func (d *dialog) ask() verdict.Outcome {
	o, next := verdict.Deny(verdict.Wrong, ""), d.firstPrompt()
	for o.Tries < d.policy.Tries {
		answer, err := d.answer(next)
		if err != nil && !errors.Is(err, ErrPassword) {
			return conversationEnded(o, err)
		}
		if wanted, ok := d.choices.Parse(answer); ok {
			if d.requests > maxRequests {
				return verdict.Outcome{Reason: verdict.Locked, Tries: o.Tries,
					Detail: "asked for codes too often"}
			}
			next = d.request(wanted)
			continue
		}
		t := d.turn(o, answer, err != nil)
		if o = t.outcome; t.over {
			return o
		}
		next = d.choices.Prompt(t.say, d.when)
	}
	return o
}

// turn judges an answer that asks for nothing, and counts the tries.
func (d *dialog) turn(before verdict.Outcome, answer string, password bool) (t turn) {
	tries := before.Tries + 1
	if !password && !d.r.names(answer) {
		t = d.guess(answer)
	} else if t = d.spare(before); d.spared <= maxSpared {
		tries--
	}
	t.outcome.Tries = tries
	return t
}

// maxSpared is how many answers of a login that are no codes cost nothing: a client that sends the
// saved password whenever it is asked must come to an end.
const maxSpared = 3

// spare passes over an answer that is the user's own password or name: clients send them again,
// and people mistake one prompt for another. It is no code, so it is not compared with any.
func (d *dialog) spare(o verdict.Outcome) turn {
	d.spared++
	o.Reason, o.Detail = verdict.Wrong, "the password or the user's name was sent as the code"
	return again(o, prompt.NotACode)
}

func (d *dialog) say(text string) { d.texts = append(d.texts, text) }

// firstPrompt sends a code unasked only to a user who has nothing but one phone, and only if the
// policy says so. A code that was typed behind the password is compared first.
func (d *dialog) firstPrompt() string {
	if d.waiting != nil && d.choices.Own == "" {
		return d.choices.Prompt(prompt.SentBefore(d.waiting), prompt.SentNow)
	}
	if d.policy.Phone.Auto && d.choices.Alone && len(d.choices.Phones) > 0 && !d.r.Kept {
		return d.request(prompt.Choice{Channel: d.choices.Channels[0], Phone: d.choices.Phones[0]})
	}
	return d.choices.Prompt("", prompt.NothingSent)
}

// begin decides whether there is anything to ask: its outcome is verdict.Undecided if there is.
func (d *dialog) begin() verdict.Outcome {
	account, err := d.Keyring.Open(d.r.Account())
	if errors.Is(err, factor.ErrUnenrolled) {
		return d.unenrolled(d.policy)
	}
	if err != nil {
		return d.unusable(err)
	}
	defer account.Close()
	if o := d.byKey(account); o != verdict.Undecided {
		return o
	}
	d.choices = prompt.NewChoices(account, d.methods, d.Clock())
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
func (d *dialog) unenrolled(p *policy.Policy) verdict.Outcome {
	if p.Unenrolled == policy.UnenrolledAllow {
		return verdict.Allow(verdict.Unenrolled)
	}
	if !p.EnrollBy.IsZero() && d.Clock().Format(time.DateOnly) <= p.EnrollBy.String() {
		d.say(prompt.Reminder(p.EnrollBy.String()))
		return verdict.Allow(verdict.Unenrolled)
	}
	if p.Unenrolled == policy.UnenrolledEnroll {
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

// guess judges one answer.
func (d *dialog) guess(answer string) turn {
	code, possible := normalize.AnyCode(answer)
	if !possible {
		return again(verdict.Deny(verdict.Wrong, "not a code"), prompt.NotAccepted)
	}
	if slices.Contains(d.refused, code) { // it was charged once, and is not compared again
		return again(verdict.Deny(verdict.Wrong, "the same wrong code again"), prompt.NotAccepted)
	}
	account, err := d.Keyring.Open(d.r.Account())
	if err != nil {
		return decided(d.unusable(err))
	}
	d.noteDamage(account)
	m, err := account.Verify(d.asGuess(code), d.limits)
	t := turn{}
	switch {
	case err != nil:
		t = decided(d.unusable(err))
	case m.Result != factor.AskTwilio:
		t = d.judge(m, account, code)
	}
	account.Close() // before the network is asked
	if m.Result == factor.AskTwilio {
		return d.check(code, m)
	}
	return t
}

func (d *dialog) asGuess(code string) factor.Guess {
	return factor.Guess{
		Code: code, At: d.Clock(), Service: d.r.Service, From: d.r.address(),
		Accepts: d.choices.Accepts, AcceptsSent: d.choices.AcceptsSent,
	}
}

// judge says what a code led to that Twilio need not be asked about.
func (d *dialog) judge(m factor.Match, account *factor.Account, code string) turn {
	o := verdict.Outcome{Reason: verdict.Wrong, Method: string(m.Method)}
	if m.Device != nil {
		o.Device, d.proven.Device = m.Device.Label, m.Device.ID
	}
	switch m.Result {
	case factor.Accepted:
		o.Allow, o.Reason = true, verdict.OK
		d.letIn(m, m.Method)
		d.tellLeft(m, account.RecoveryLeft())
		return decided(o)
	case factor.Replayed:
		o.Reason = verdict.Replayed
		if m.Method == method.Recovery {
			return again(o, prompt.UsedRecovery)
		}
		return again(o, prompt.UsedBefore)
	case factor.Locked:
		return decided(d.denyLocked(m.Lockout))
	case factor.Impossible:
		o.Detail = "not a code of any device of the user"
		return d.rejected(o, account)
	}
	return d.wrong(d.rejected(o, account), m, code)
}

// wrong notes a code that was compared, charged and wrong.
func (d *dialog) wrong(t turn, m factor.Match, code string) turn {
	d.refused = append(d.refused, code)
	return d.count(t, m)
}

// count counts a guess that stays charged, and ends the login if it was the last one that the
// limit allows.
func (d *dialog) count(t turn, m factor.Match) turn {
	d.charged++
	if !m.Lockout.Locked() {
		return t
	}
	t.over = true
	t.outcome.Detail = "locked " + d.denyLocked(m.Lockout).Detail
	d.happened(event.Lock, m.Lockout.String())
	return t
}

// tellRefused tells a user who is let in of the wrong codes before this login, once: someone else may
// have typed them.
func (d *dialog) tellRefused(all state.Refused) {
	all.Count -= min(all.Told, all.Count)
	if all.Count <= d.charged {
		return
	}
	if d.charged > 0 { // the last one was of this login
		all.From = d.began.From
	}
	all.Count -= d.charged
	d.say(prompt.RefusedBefore(all))
}

// tellLeft tells how many recovery codes are left if one was used now, or if they are few.
func (d *dialog) tellLeft(m factor.Match, left int) {
	switch {
	case m.Method == method.Recovery:
		d.say(prompt.CodeUsed(left))
	case left > 0 && left <= prompt.FewCodes:
		d.say(prompt.FewLeft(left))
	}
}

// rejected tells the user of a code that matched nothing, and what became of the one that was
// sent.
func (d *dialog) rejected(o verdict.Outcome, account *factor.Account) turn {
	switch _, standing := account.LatestSent(d.Clock(), d.choices.AcceptsSent); {
	case standing == factor.Exhausted:
		return again(o, prompt.CodeVoid)
	case standing == factor.Outlived && d.when == prompt.SentEarlier:
		o.Reason = verdict.Expired
		return again(o, prompt.CodeExpired)
	}
	return again(o, prompt.NotAccepted)
}
