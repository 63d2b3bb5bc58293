package factor

import (
	"slices"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// What Twilio says of a verification: how long its code lives and how often it is compared. Asking
// beyond that is asking for a refusal.
const (
	CodeLife  = 10 * time.Minute
	maxChecks = 5
)

// answerLife is how long after a code's life an answer about it can still arrive.
const answerLife = time.Minute

// Standing is what became of the verification that was sent last.
type Standing int

// The standings. Twilio is asked only about codes of a verification that is Waiting.
const (
	None     Standing = iota // none was sent, it is used up, or it must not be used
	Waiting                  // for its code
	Outlived                 // its code has expired
	// compared with too many codes; while it lives, asking for another only sends it again
	Exhausted
)

// LatestSent returns what became of the latest verification that allowed accepts, and the phone it
// was sent to.
func (a *Account) LatestSent(now time.Time, allowed func(state.Pending) bool) (*record.Device,
	Standing) {
	for i := len(a.State.Pendings) - 1; i >= 0; i-- {
		p := &a.State.Pendings[i]
		if phone := a.phoneOf(p, allowed); phone != nil {
			return phone, standing(*p, now)
		}
	}
	return nil, None
}

// phoneOf is the phone that a verification was sent to, if it is that phone's latest, Twilio has
// named it, and allowed accepts it; else nil.
func (a *Account) phoneOf(p *state.Pending, allowed func(state.Pending) bool) *record.Device {
	phone := a.Device(p.Device)
	if phone == nil || phone.Type != method.Phone || p.SID == "" || p != a.latest(p.Device) ||
		!allowed(*p) {
		return nil
	}
	return phone
}

func standing(p state.Pending, now time.Time) Standing {
	switch {
	case p.Over:
		return None
	case age(p, now) >= CodeLife:
		return Outlived
	case p.Checks >= maxChecks:
		return Exhausted
	}
	return Waiting
}

// age is how long ago a verification was sent. One from the future (the clock was set back) was
// sent now.
func age(p state.Pending, now time.Time) time.Duration { return max(now.Sub(p.At), 0) }

// latest is the verification that was last sent to a phone, or nil.
func (a *Account) latest(id state.DeviceID) *state.Pending {
	for i := len(a.State.Pendings) - 1; i >= 0; i-- {
		if a.State.Pendings[i].Device == id {
			return &a.State.Pendings[i]
		}
	}
	return nil
}

// verification is the one that Twilio calls sid, or nil.
func (a *Account) verification(sid string, id state.DeviceID) *state.Pending {
	i := slices.IndexFunc(a.State.Pendings,
		func(p state.Pending) bool { return p.SID == sid && p.Device == id })
	if i < 0 {
		return nil
	}
	return &a.State.Pendings[i]
}

// noteSend notes a send to a phone that is about to happen. While the one before it lives it is
// sent once more.
func (a *Account) noteSend(id state.DeviceID, now time.Time) {
	if p := a.latest(id); p != nil && !p.Over && age(*p, now) < CodeLife {
		p.At, p.Sends = now, p.Sends+1
		return
	}
	a.keep(state.Pending{Device: id, At: now, Sends: 1}, now)
}

// keep adds a verification, and drops those that Twilio can no longer answer about. If there is no
// room the oldest is dropped.
func (a *Account) keep(p state.Pending, now time.Time) {
	kept := slices.DeleteFunc(a.State.Pendings, func(old state.Pending) bool {
		return age(old, now) >= CodeLife+answerLife || a.Device(old.Device) == nil
	})
	if len(kept) == state.MaxPendings {
		kept = slices.Delete(kept, 0, 1)
	}
	a.State.Pendings = append(kept, p)
}

// KeepPending notes, durably, that Twilio has sent a code to a phone of name, which ReserveSend
// has reserved. A send that joined the verification that is pending keeps the number of codes that
// were compared with it.
func (k Keyring) KeepPending(u record.User, sent state.Pending) error {
	account, err := k.Open(u)
	if err != nil {
		return err
	}
	defer account.Close()
	p := account.latest(sent.Device)
	switch {
	case p != nil && p.SID != "" && p.At.After(sent.At):
		return nil // this comes late: another was reserved and noted meanwhile
	case p != nil && (p.SID == sent.SID || p.SID == ""):
		p.SID, p.At, p.Voice = sent.SID, sent.At, sent.Voice
	case p != nil:
		// the phone has a newer one; an answer about this one may still be on its way
		p.Over = true
		sent.Sends = p.Sends
		account.keep(sent, sent.At)
	default:
		sent.Sends = max(sent.Sends, 1)
		account.keep(sent, sent.At)
	}
	return account.commit()
}
