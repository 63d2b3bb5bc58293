package factor

import (
	"time"

	"latchkey/pam/record"
	"latchkey/pam/state"
)

// What TWILIO.md says of a verification: how long its code lives and how often it is compared. Asking beyond that is
// asking for a refusal.
const (
	codeLife  = 10 * time.Minute
	maxChecks = 5
)

// Standing is how the verification stands that was sent last.
type Standing int

// The standings. Only of a verification that is Waiting Twilio is asked about codes.
const (
	None      Standing = iota // none was sent, it is used up, or it must not be used
	Waiting                   // for its code
	Outlived                  // its code has expired
	Exhausted                 // compared with too many codes; while it lives, asking for another only sends it again
)

// Sent returns how the verification stands that was sent last, if allowed accepts it, and to which phone it was sent. One from
// the future (the clock was set back) is none.
func (a *Account) Sent(now time.Time, allowed func(state.Pending) bool) (*record.Device, Standing) {
	p := a.State.Pending
	phone := a.device(p.Device)
	switch {
	case p.SID == "" || p.At.After(now) || phone == nil || phone.Type != record.Phone || !allowed(p):
		return nil, None
	case now.Sub(p.At) >= codeLife:
		return phone, Outlived
	case p.Checks >= maxChecks:
		return phone, Exhausted
	}
	return phone, Waiting
}

// LastCheck tells whether no more codes will be compared with p.
func LastCheck(p state.Pending) bool { return p.Checks >= maxChecks }

// KeepPending notes, durably, that Twilio has sent a code to a phone of name. A send that joined the verification that is
// pending keeps the number of codes that were compared with it.
func (k Keyring) KeepPending(name string, uid uint32, sent state.Pending) error {
	account, err := k.Open(name, uid)
	if err != nil {
		return err
	}
	defer account.Close()
	if old := account.State.Pending; old.SID == sent.SID {
		sent.Checks = old.Checks
	}
	account.State.Pending = sent
	return account.commit()
}

// BookCheck books one comparison of a code at Twilio, which must not have been more than five, with the verification that
// is pending, if allowed accepts it. The phone is nil if there is nothing to compare with: then Twilio must not be asked.
// The guess itself was charged by Verify.
func (a *Account) BookCheck(now time.Time, allowed func(state.Pending) bool) (*record.Device, state.Pending, error) {
	phone, standing := a.Sent(now, allowed)
	if standing != Waiting {
		return nil, state.Pending{}, nil
	}
	p := &a.State.Pending
	p.Checks++
	return phone, *p, a.commit()
}

// Exhaust notes that Twilio compares no more codes with a verification.
func (k Keyring) Exhaust(name string, uid uint32, p state.Pending) error {
	account, err := k.Open(name, uid)
	if err != nil {
		return err
	}
	defer account.Close()
	if account.State.Pending.SID != p.SID {
		return nil
	}
	account.State.Pending.Checks = maxChecks
	return account.commit()
}

// ReturnCheck gives back the guess and the comparison that were booked for a code which never reached Twilio.
func (k Keyring) ReturnCheck(name string, uid uint32, p state.Pending, limits Limits) error {
	account, err := k.Open(name, uid)
	if err != nil {
		return err
	}
	defer account.Close()
	st := &account.State.State
	limits.refund(st)
	if st.Pending.SID == p.SID && st.Pending.Checks > 0 {
		st.Pending.Checks--
	}
	return account.commit()
}

// EndCheck uses a verification up that Twilio approved or has forgotten. Approved gives back the guess that was charged for
// it. The result is Accepted only if it was approved, and still pending here: of two logins with one code only one is.
func (k Keyring) EndCheck(name string, uid uint32, p state.Pending, approved bool, limits Limits, now time.Time) (Result, error) {
	account, err := k.Open(name, uid)
	if err != nil {
		return Wrong, err
	}
	defer account.Close()
	st := &account.State.State
	used := st.Device(p.Device)
	if st.Pending.SID != p.SID || st.Pending.Device != p.Device || account.device(p.Device) == nil || used == nil {
		return Replayed, nil
	}
	st.Pending = state.Pending{}
	if !approved {
		return Wrong, account.commit()
	}
	limits.refund(st)
	used.Used = now
	if err := account.commit(); err != nil {
		return Wrong, err
	}
	return Accepted, nil
}
