package flow

import (
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/method"
	"latchkey/pam/notify/event"
	"latchkey/pam/state"
)

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
	if m.Result == factor.Wrong || m.Result == factor.AskTwilio {
		d.drifts = append(d.drifts, account.Drifts(d.asGuess(code))...)
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

// tellRefused tells a user who is let in of the wrong codes before this login, once: someone else
// may have typed them.
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
