package factor

import (
	"slices"
	"time"

	"latchkey/pam/factor/normalize"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Check is one comparison of a code at Twilio, reserved before Twilio is asked.
type Check struct {
	Phone   record.Device
	Pending state.Pending
}

// Last reports whether this was the verification's last comparison at Twilio.
func (c Check) Last() bool { return c.Pending.Checks >= maxChecks }

// reserveChecks reserves a comparison with each verification that waits for a code, the newest
// first: it must not be more than five for any. There is none if g is no code that was sent.
func (a *Account) reserveChecks(g Guess) (checks []Check) {
	if code, possible := normalize.SentCode(g.Code); !possible || code != g.Code ||
		g.AcceptsSent == nil {
		return nil
	}
	for i := len(a.State.Pendings) - 1; i >= 0; i-- {
		p := &a.State.Pendings[i]
		phone := a.phoneOf(p, g.AcceptsSent)
		if phone == nil || standing(*p, g.At) != Waiting {
			continue
		}
		p.Checks++
		checks = append(checks, Check{*phone, *p})
	}
	return checks
}

// Free reports whether the code was compared with nothing at all, where Twilio said this of
// m.Checks[n]: then the guess is no longer charged.
func (m Match) Free(n int, said Answer) bool { return said == Unreached && n == 0 && !m.compared }

// Answer is what Twilio said of a code.
type Answer int

// The answers. The zero Answer changes nothing but what was not asked.
const (
	Unknown   Answer = iota // it is wrong, or the answer was lost
	Approved                // it is right, and used up
	Gone                    // the verification was used, has expired or is unknown
	Exceeded                // Twilio no longer compares codes with the verification
	Unreached               // Twilio was never asked
)

// EndCheck notes the answer about m.Checks[n], the last one that Twilio is asked about. Approved
// takes back the guess that was charged; the result is Accepted only then, and only once for a
// verification: of two logins with the same code only one is let in. An approval counts even if
// other logins have heard otherwise of the verification meanwhile. Unreached takes the guess back
// if the code was compared with nothing.
func (k Keyring) EndCheck(u record.User, m Match, n int, said Answer, limits limit.Guesses,
	now time.Time) (Result, error) {
	account, err := k.Open(u)
	if err != nil {
		return Wrong, err
	}
	defer account.Close()
	for _, c := range m.Checks[n+1:] {
		account.returnCheck(c)
	}
	st, p := &account.State.State, account.verification(m.Checks[n].Pending.SID,
		m.Checks[n].Pending.Device)
	switch said {
	case Approved:
		attempt := m.approved(p, now)
		if !account.useUp(p, now) {
			return Replayed, nil
		}
		m.takeBack(st, limits)
		limit.Accept(st)
		st.See(now)
		LetIn(st, attempt)
		if err := account.commit(); err != nil {
			return Wrong, err
		}
		return Accepted, nil
	case Gone:
		if p != nil {
			p.Over = true
		}
	case Exceeded:
		if p != nil {
			p.Checks = maxChecks
		}
	case Unreached:
		account.returnCheck(m.Checks[n])
		if m.Free(n, said) {
			m.takeBack(st, limits)
		}
	}
	return Wrong, account.commit()
}

// useUp takes away a verification that Twilio has approved, unless that was done before or its
// phone was removed.
func (a *Account) useUp(p *state.Pending, now time.Time) bool {
	if p == nil {
		return false
	}
	used := a.State.Device(p.Device)
	if used == nil || a.Device(p.Device) == nil {
		return false
	}
	used.Used = now
	approved := *p
	a.State.Pendings = slices.DeleteFunc(a.State.Pendings,
		func(p state.Pending) bool { return p == approved })
	return true
}

// returnCheck gives back a comparison that was reserved and not made.
func (a *Account) returnCheck(c Check) {
	if p := a.verification(c.Pending.SID, c.Pending.Device); p != nil && p.Checks > 0 {
		p.Checks--
	}
}
