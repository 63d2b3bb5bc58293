package flow

import (
	"errors"
	"slices"
	"strings"

	"latchkey/pam/authority"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/policy"
	"latchkey/pam/state"
)

// dialog is one user being asked. The authority opens the user's account for each question and
// closes it before the next prompt, so that nothing is locked while the user types, and what
// enroll changed meanwhile counts.
type dialog struct {
	Flow
	r         Request
	policy    *policy.Policy
	newcomers policy.Newcomers
	login     authority.Login
	began     authority.Beginning
	choices   prompt.Choices
	proven    authority.Device // whose code was accepted
	requests  int              // codes asked for so far
	when      prompt.Moment    // before or after the first of them
	landline  state.DeviceID   // a phone that Twilio said takes no SMS, just now
	refused   []string         // codes that were wrong in this login
	drift     int64            // what those say of the clock of the user's app
	words     int              // answers of this login that were words
	charged   uint32           // guesses of this login that were charged
	spared    int              // answers of this login that cost nothing
	notes     []string         // for the log
	texts     []string         // for the user, when the login is decided
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
	d.advise(o)
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
		d.Inform(text)
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
	if password || d.r.names(answer) {
		if t = d.spare(before); d.spared <= maxSpared {
			tries--
		}
	} else if say, isWord := d.choices.Word(answer); isWord {
		if t = d.word(before, say); d.words <= maxWords {
			tries--
		}
	} else {
		t = d.guess(answer)
	}
	t.outcome.Tries = tries
	return t
}

// maxSpared is how many answers of a login that are no codes cost nothing: a client that sends the
// saved password whenever it is asked must come to an end.
const maxSpared = 3

// spare passes over an answer that is the user's own password or name: clients send them again,
// and people mistake one prompt for another. It is no code, so it is not compared with any. Where a
// code has been compared before, the log says what became of that: programs with one field send all
// of it again.
func (d *dialog) spare(o verdict.Outcome) turn {
	d.spared++
	if o.Tries == 0 {
		o.Detail = "the password or the user's name was sent as the code"
	}
	return again(o, prompt.NotACode)
}

func (d *dialog) say(text string) { d.texts = append(d.texts, text) }

// firstPrompt sends a code unasked only to a user who has nothing but one phone, and only if the
// policy says so. A code that was typed behind the password is compared first.
func (d *dialog) firstPrompt() string {
	if d.began.Offline {
		return d.choices.Prompt(prompt.BreakGlass, prompt.NothingSent)
	}
	if d.began.Waiting != nil && !d.choices.Own() {
		return d.choices.Prompt(prompt.SentBefore(*d.began.Waiting), prompt.SentNow)
	}
	if d.policy.Phone.Auto && d.choices.Alone && len(d.choices.Phones) > 0 && !d.r.Kept {
		return d.request(prompt.Choice{Channel: d.choices.Channels[0], Phone: d.choices.Phones[0]})
	}
	return d.choices.Prompt("", prompt.NothingSent)
}
