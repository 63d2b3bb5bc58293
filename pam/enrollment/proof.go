package enrollment

import (
	"errors"
	"fmt"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// ProofLife is how long a proof gives the right to a change. No one reads a secret off a screen for
// longer, and a program left waiting must not change anything once passwords, tickets and devices
// are others.
const ProofLife = 15 * time.Minute

// Errors that say why a proof gives no right to a change.
var (
	// ErrRight says that nothing was proven that gives the right, or that it takes root.
	ErrRight = errors.New("nothing proves the right to this change")
	// ErrProof says that what gave the right was proven too long ago.
	ErrProof = errors.New("this took too long")
	// ErrMeanwhile keeps out a thief who proved the password alone while there was no factor, or a
	// code of a device that was stolen, and left enroll waiting until the owner had enrolled or had
	// removed that device.
	ErrMeanwhile = errors.New("the devices of this account were changed meanwhile")
)

// errFirstNoLonger is ErrMeanwhile where it was a first enrollment that was proven.
var errFirstNoLonger = fmt.Errorf("%w: %w", ErrEnrolled, ErrMeanwhile)

// Proof is what gives the right to change what one user has. Every change takes one, and looks at
// it under the lock that makes the change: it may be minutes old. The zero Proof gives no right.
type Proof struct {
	by    prover
	user  record.User
	began time.Time        // when the first thing was proven
	clock func() time.Time // says how long ago that is

	ticket state.OneTimeCode  // byTicket: the enrollment uses it up
	of     state.EnrollmentID // byCode: the enrollment that the code is of
	device *state.DeviceID    // byCode: whose code it was; nil: no device's
	codes  *state.SetID       // byCode: the set of the recovery code; nil: it was none
}

// prover is what proves the right.
type prover int

const (
	byNothing prover = iota
	byRoot
	byPassword
	byTicket
	byCode
)

// ByRoot is the right of root, who may change everything at any time.
func ByRoot() Proof { return Proof{by: byRoot} }

// ByPassword is the right to a first enrollment of a user whose password was given at began, where
// no ticket is asked for.
func ByPassword(u record.User, began time.Time, clock func() time.Time) Proof {
	return Proof{by: byPassword, user: u, began: began, clock: clock}
}

// ByTicket is the right to a first enrollment where the policy asks for a ticket as well: the one
// that VerifyTicket found.
func ByTicket(u record.User, began time.Time, clock func() time.Time,
	ticket state.OneTimeCode) Proof {
	p := ByPassword(u, began, clock)
	p.by, p.ticket = byTicket, ticket
	return p
}

// ByCode is the right of a user who has given the password at began and then a code, which was
// compared with the record with. A match that is not Accepted gives no right.
func ByCode(began time.Time, clock func() time.Time, with *record.Record, m factor.Match) Proof {
	if with == nil || m.Result != factor.Accepted {
		return Proof{}
	}
	p := ByPassword(record.User{Name: with.Name, UID: with.UID}, began, clock)
	p.by, p.of = byCode, with.Enrollment
	if m.Device != nil {
		id := m.Device.ID
		p.device = &id
	}
	if m.Method == method.Recovery {
		id := with.Recovery.ID
		p.codes = &id
	}
	return p
}

// allowsAll reports why p gives no right to what only root may do.
func (p Proof) allowsAll() error {
	if p.by != byRoot {
		return ErrRight
	}
	return nil
}

// allows reports why p gives no right to change what u has, whose record is r: nil if there is
// none.
func (p Proof) allows(u record.User, r *record.Record) error {
	if p.by == byRoot {
		return nil
	}
	if p.by == byNothing || p.user != u {
		return ErrRight
	}
	if took := p.clock().Sub(p.began); took < 0 || took > ProofLife {
		return ErrProof
	}
	switch p.by {
	case byPassword, byTicket:
		return p.allowsFirst(r)
	case byCode:
		return p.allowsChange(r)
	}
	return ErrRight
}

// allowsFirst reports why an enrollment would not be the first any longer.
func (p Proof) allowsFirst(r *record.Record) error {
	switch {
	case r != nil:
		return errFirstNoLonger
	case p.by == byTicket && !factor.Live(p.ticket, p.clock()):
		return ErrTicket
	}
	return nil
}

// allowsChange reports whether r still has what the code was of.
func (p Proof) allowsChange(r *record.Record) error {
	switch {
	case r == nil || r.Enrollment != p.of:
	case p.device != nil && !has(r, *p.device):
	case p.codes != nil && r.Recovery.ID != *p.codes: // the owner has made new ones
	default:
		return nil
	}
	return ErrMeanwhile
}
