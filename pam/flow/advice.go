package flow

import (
	"latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
)

// advise tells a user who is refused for good what may help: no further prompt will.
func (d *dialog) advise(o verdict.Outcome) {
	if o.Allow || o.Reason == verdict.NoAnswer || o.Reason == verdict.MustEnroll {
		return
	}
	a := prompt.Advice{
		Choices: d.choices, Typed: o.Tries > 0 && aboutTyped(o.Reason), Wrong: d.charged > 0,
		Drift: d.drift, Help: d.policy.Help,
	}
	if text := a.String(); text != "" {
		d.say(text)
	}
}

// aboutTyped reports whether a reason is about what the user typed.
func aboutTyped(r verdict.Reason) bool {
	switch r {
	case verdict.Wrong, verdict.Replayed, verdict.Expired, verdict.Locked, verdict.Service:
		return true
	}
	return false
}

// maxWords is how many words cost nothing in one login: a client that answers each prompt with one
// must come to an end.
const maxWords = 10

// word answers a word, which is compared with no code.
func (d *dialog) word(o verdict.Outcome, say string) turn {
	d.words++
	o.Reason, o.Detail = verdict.Wrong, "not a code"
	return again(o, say)
}

// inFront is how many columns OpenSSH's client writes before each prompt: "(alice@host) ". What
// the user called this host is not known; its own name is the best guess.
func (d *dialog) inFront() int {
	if !d.r.BySSHD {
		return 0
	}
	return len("(@) ") + len(d.r.User) + len(d.Host)
}
