package authority

import (
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/state"
	"latchkey/pam/trust"
)

// Beginning is what there is to ask, if the result is Ask. If it is Accepted the user needs no
// code, because of a security key or a trusted computer.
type Beginning struct {
	Match
	Choices    Choices
	Enrollment state.EnrollmentID
	Trusting   bool    // the user trusts some computer
	Waiting    *Device // a phone whose code was asked for in an earlier login and still works
	// Offline: the fleet cannot be reached, and what is asked for is a break-glass code of this
	// host. No service can say that.
	Offline bool `json:"-"`
}

// Begin implements Authority.
func (l *Local) Begin(login Login) (Beginning, error) {
	login = l.bound(login)
	account, err := l.Keyring.Open(login.User)
	if err != nil {
		return Beginning{}, err
	}
	defer account.Close()
	now := l.Clock()
	b := Beginning{Choices: choicesOf(account, login, now)}
	if b.Match, err = l.decide(account, login, b.Choices, now); err != nil {
		return Beginning{}, err
	}
	if b.Result == "" {
		b.ask(account, now)
	}
	return b, nil
}

// decide ends a login in which nothing is to be asked. The zero Match does not end it.
func (l *Local) decide(account *factor.Account, login Login, c Choices,
	now time.Time) (Match, error) {
	if m, err := byKey(account, login, now); err != nil || m.Result != "" {
		return m, err
	}
	if c.None() {
		return Match{Result: Nothing}, nil
	}
	lockout, err := account.Lockout(now, login.Limits)
	switch {
	case err != nil:
		return Match{}, err
	case lockout.Locked():
		return Match{Result: Locked, Lockout: lockout}, nil
	}
	return l.byTrust(account, login, now)
}

// byKey lets in a user whose enrolled security key sshd has accepted in this connection. If there
// is no such key the login goes on as if there were no security keys.
func byKey(account *factor.Account, login Login, now time.Time) (Match, error) {
	if !login.allows(method.Key) {
		return Match{}, nil
	}
	m, err := account.UseKey(factor.Presented{
		Keys: login.Keys, OnlyAttested: login.OnlyAttested, At: now, Service: login.Service,
		From: login.From,
	}, login.Limits)
	if err != nil || m.Result != factor.Locked && m.Result != factor.Accepted {
		return Match{}, err
	}
	return matchOf(m), nil
}

// byTrust lets in a user who trusts the computer of this login. If not, the login goes on as if
// there were no trust. Codes that were wrong stay counted, as none was right.
func (l *Local) byTrust(account *factor.Account, login Login, now time.Time) (Match, error) {
	st := &account.State.State
	m := Match{Result: Accepted, Method: method.Trust, Refused: st.Refused,
		NewNetwork: factor.NewNetwork(st, login.From)}
	t, ok, err := trust.Find(l.Keyring, account, login.Computer(), now)
	if err != nil || !ok {
		return Match{}, err
	}
	m.Device.Label = trust.Label(t)
	if login.Rehearsal {
		return m, nil
	}
	// The time is on the disk before anyone is let in: a clock that is set back later does not
	// make the trust last longer.
	st.See(now)
	limit.Tell(st)
	factor.LetIn(st, state.Attempt{
		At: now, From: login.From, Service: login.Service, Method: method.Trust,
	})
	if err := factor.Commit(account.State); err != nil {
		return Match{}, err
	}
	return m, nil
}

// ask says what is known of a login in which a code is asked for.
func (b *Beginning) ask(account *factor.Account, now time.Time) {
	b.Result, b.Refused = Ask, account.State.Refused
	b.Enrollment, b.Trusting = account.Record.Enrollment, len(account.State.Trusts) > 0
	accepts := acceptsSent(b.Choices.Channels)
	if phone, standing := account.LatestSent(now, accepts); standing == factor.Waiting {
		waiting := shown(phone)
		b.Waiting = &waiting
	}
}
