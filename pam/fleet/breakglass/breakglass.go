// Package breakglass lets a few named users in while a fleet cannot be reached, by codes that
// count on one host only.
//
// The codes have records and a state of their own on their host, in the formats of all others, and
// are compared by the same code: each works once, and guesses are charged and lock. No secret that
// counts elsewhere is here, so cutting fifty hosts off their fleet does not give fifty times the
// guesses.
package breakglass

import (
	"errors"
	"fmt"

	"latchkey/pam/authority"
	"latchkey/pam/factor"
	"latchkey/pam/field"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Path is the folder of a host's break-glass codes.
const Path = "/var/lib/latchkey/breakglass"

// Keyring has the codes of the host below root ("" but in tests).
func Keyring(root string, patience safefile.Patience) factor.Keyring {
	folder := root + Path
	return factor.Keyring{
		Records: record.Store{Path: folder + "/records", KeyPath: folder},
		States:  state.Store{Path: folder + "/states", Patience: patience},
	}
}

// Authority is a fleet's, and its host's own for a user who may break the glass and whose login
// begins while no service can be reached. Every other fault of the fleet stays what it is.
type Authority struct {
	Fleet authority.Authority
	Own   authority.Authority // of this host's codes
	May   func(user string) bool
	alone bool
}

var _ authority.Authority = (*Authority)(nil)

// Begin implements authority.Authority.
func (a *Authority) Begin(l authority.Login) (authority.Beginning, error) {
	b, err := a.Fleet.Begin(l)
	if err == nil || wire.FaultOf(err) != wire.Unreachable || !a.May(l.User.Name) {
		return b, err
	}
	own, ownErr := a.Own.Begin(byCode(l))
	switch {
	case ownErr != nil:
		return authority.Beginning{}, wire.Errorf(wire.Unreachable, "%s; break-glass: %v",
			text(err), ownErr)
	case own.Result == authority.Nothing:
		return authority.Beginning{}, wire.Errorf(wire.Unreachable,
			"%s; break-glass: no code is left", text(err))
	}
	own.Offline, a.alone = true, true
	return own, nil
}

// text is what an error of the fleet says beyond its fault.
func text(err error) string {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Text
	}
	return err.Error()
}

// byCode is a login by a break-glass code: a rule's methods are about the user's factors, of which
// this is none, and no computer is trusted.
func byCode(l authority.Login) authority.Login {
	return authority.Login{User: l.User, Service: l.Service, From: l.From, Limits: l.Limits,
		Methods: []method.Method{method.Recovery}, Rehearsal: l.Rehearsal}
}

// Guess implements authority.Authority.
func (a *Authority) Guess(g authority.Guess) (authority.Guessed, error) {
	if !a.alone {
		return a.Fleet.Guess(g)
	}
	said, err := a.Own.Guess(authority.Guess{Login: byCode(g.Login), Code: g.Code})
	if err != nil {
		return authority.Guessed{}, fmt.Errorf("break-glass: %w", err)
	}
	return said, nil
}

// Send implements authority.Authority.
func (a *Authority) Send(s authority.Send) (authority.Sent, error) {
	if !a.alone {
		return a.Fleet.Send(s)
	}
	return authority.Sent{Because: "the fleet cannot be reached"}, nil
}

// Crowded implements authority.Authority.
func (a *Authority) Crowded(l authority.Login) bool { return a.alone || a.Fleet.Crowded(l) }

// Trust implements authority.Authority.
func (a *Authority) Trust(t authority.Trust) error {
	if a.alone {
		return wire.Errorf(wire.Unreachable, "no computer is trusted meanwhile")
	}
	return a.Fleet.Trust(t)
}

// Forget implements authority.Authority.
func (a *Authority) Forget(u record.User) error { return a.Fleet.Forget(u) }

// Codes implements authority.Authority.
func (a *Authority) Codes(u record.User) (field.Codes, error) { return a.Fleet.Codes(u) }
