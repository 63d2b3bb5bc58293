package flow

import (
	"fmt"
	"slices"

	"latchkey/pam/authority"
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
	g, err := d.Authority.Guess(authority.Guess{Login: d.login, Code: code,
		Channels: d.choices.Channels})
	if g.Damage != "" { // of a slot of the state, which the next commit rewrites
		d.note("%s", g.Damage)
	}
	if g.Drift != 0 {
		d.drift = g.Drift
	}
	if err != nil {
		o := d.unusable(err)
		o.Method, o.Device = string(g.Method), g.Device.Label
		return decided(o)
	}
	return d.judge(g, code)
}

// judge says what a code led to.
func (d *dialog) judge(g authority.Guessed, code string) turn {
	o := verdict.Outcome{Reason: verdict.Wrong, Method: string(g.Method), Device: g.Device.Label}
	switch g.Result {
	case authority.Accepted:
		o.Allow, o.Reason, d.proven = true, verdict.OK, g.Device
		if d.began.Offline {
			o.Reason = verdict.Offline
		}
		d.letIn(g)
		d.tellLeft(g)
		return decided(o)
	case authority.Locked:
		return decided(d.denyLocked(g.Lockout))
	case authority.Replayed:
		return d.replayed(o, g)
	case authority.Impossible:
		o.Detail = "not a code of any device of the user"
		return d.rejected(o, g)
	case authority.Wrong:
		return d.wrong(d.rejected(o, g), g, code)
	case authority.Expired:
		o.Reason = verdict.Expired
		return d.wrong(again(o, prompt.CodeExpired), g, code)
	case authority.Void:
		return d.wrong(again(o, prompt.CodeVoid), g, code)
	case authority.Unchecked:
		return d.unchecked(o, g)
	}
	return decided(d.unusable(errNoAnswer))
}

// replayed tells the user of a code that was used before.
func (d *dialog) replayed(o verdict.Outcome, g authority.Guessed) turn {
	o.Reason = verdict.Replayed
	if g.Charged {
		d.charged++
	}
	switch {
	case d.began.Offline:
		return again(o, prompt.UsedBreakGlass)
	case g.Method == method.Recovery:
		return again(o, prompt.UsedRecovery)
	}
	return again(o, prompt.UsedBefore)
}

// unchecked tells the user of a code that Twilio could not be asked about.
func (d *dialog) unchecked(o verdict.Outcome, g authority.Guessed) turn {
	d.note("check of a code sent to %q: %s", g.Device.Label, g.Because)
	o.Reason = verdict.Service
	t := again(o, prompt.NotChecked)
	if !g.Charged {
		return t // the guess was taken back
	}
	return d.count(t, g)
}

// wrong notes a code that was compared, charged and wrong.
func (d *dialog) wrong(t turn, g authority.Guessed, code string) turn {
	d.refused = append(d.refused, code)
	return d.count(t, g)
}

// count counts a guess that stays charged, and ends the login if it was the last one that the
// limit allows.
func (d *dialog) count(t turn, g authority.Guessed) turn {
	d.charged++
	if !g.Lockout.Locked() {
		return t
	}
	t.over = true
	t.outcome.Detail = "locked " + d.denyLocked(g.Lockout).Detail
	d.happened(event.Lock, g.Lockout.String())
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
		all.From = d.began.Refused.From
	}
	all.Count -= d.charged
	all.First = all.First.Local() // a service may be in another time zone
	d.say(prompt.RefusedBefore(all))
}

// tellLeft tells how many recovery codes are left if one was used now, or if they are few.
func (d *dialog) tellLeft(g authority.Guessed) {
	switch {
	case d.began.Offline:
		d.say(prompt.BreakGlassUsed(g.Left))
	case g.Method == method.Recovery:
		d.say(prompt.CodeUsed(g.Left))
	case g.Left > 0 && g.Left <= prompt.FewCodes:
		d.say(prompt.FewLeft(g.Left))
	}
}

// rejected tells the user of a code that matched nothing, and what became of the one that was
// sent.
func (d *dialog) rejected(o verdict.Outcome, g authority.Guessed) turn {
	switch {
	case g.SentVoid:
		return again(o, prompt.CodeVoid)
	case g.SentExpired && d.when == prompt.SentEarlier:
		o.Reason = verdict.Expired
		return again(o, prompt.CodeExpired)
	}
	return again(o, prompt.NotAccepted)
}

// note keeps something for the log, once: the administrator should know of it, however the login
// ends.
func (d *dialog) note(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(d.notes, text) {
		d.notes = append(d.notes, text)
	}
}
