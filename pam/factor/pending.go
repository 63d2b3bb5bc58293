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
	p := &a.State.Pending
	phone := a.device(p.Device)
	old := p.At.After(now) || now.Sub(p.At) >= codeLife
	if p.SID == "" || old || p.Checks >= maxChecks || phone == nil || phone.Type != record.Phone || !allowed(*p) {
		return nil, state.Pending{}, nil
	}
	p.Checks++
	return phone, *p, a.commit()
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
