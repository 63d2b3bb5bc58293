package remote

import (
	"errors"

	"latchkey/pam/authority"
	"latchkey/pam/field"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
)

// Authority is the fleet's service as the authority of one login.
type Authority struct{ *Client }

var _ authority.Authority = Authority{}

// The operations of a login: pam/fleet/service answers them by the method of that name of
// authority.Local.
const (
	OpBegin   = "begin"
	OpGuess   = "guess"
	OpSend    = "send"
	OpCrowded = "crowded"
	OpTrust   = "trust"
	OpForget  = "forget"
	OpCodes   = "codes"
)

// Begin implements authority.Authority.
func (a Authority) Begin(l authority.Login) (b authority.Beginning, err error) {
	if err = a.of(l).answer(OpBegin, l.User, l, &b); err != nil {
		return authority.Beginning{}, err
	}
	return b, nil
}

// Guess implements authority.Authority.
func (a Authority) Guess(g authority.Guess) (said authority.Guessed, err error) {
	if err = a.of(g.Login).answer(OpGuess, g.User, g, &said); err != nil {
		said.Result = "" // with an error the rest of the answer is for the log
	}
	return said, err
}

// Send implements authority.Authority.
func (a Authority) Send(s authority.Send) (sent authority.Sent, err error) {
	if err = a.of(s.Login).answer(OpSend, s.User, s, &sent); err != nil {
		sent.OK = false
	}
	return sent, err
}

// Crowded implements authority.Authority.
func (a Authority) Crowded(l authority.Login) bool {
	crowded := true
	err := a.of(l).answer(OpCrowded, l.User, l, &crowded)
	return err != nil || crowded
}

// Trust implements authority.Authority.
func (a Authority) Trust(t authority.Trust) error {
	return a.of(t.Login).answer(OpTrust, t.User, t, nil)
}

// Forget implements authority.Authority.
func (a Authority) Forget(u record.User) error { return a.answer(OpForget, u, nil, nil) }

// Codes implements authority.Authority.
func (a Authority) Codes(u record.User) (c field.Codes, err error) {
	if err = a.answer(OpCodes, u, nil, &c); err != nil {
		return field.Codes{}, err
	}
	return c, nil
}

// of is the authority as it asks about a login.
func (a Authority) of(l authority.Login) Authority {
	c := *a.Client
	c.Service, c.From = l.Service, l.From
	return Authority{&c}
}

// answer asks, and turns a fault of the account into the error that it was in the service.
func (a Authority) answer(op string, u record.User, body, into any) error {
	err := a.Ask(op, u, body, into)
	var e *wire.Error
	if errors.As(err, &e) && authority.Fault(e.Fault).Known() {
		return authority.Fault(e.Fault).Error(e.Text)
	}
	return err
}
