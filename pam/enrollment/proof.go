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

// ProofLife is how long a proof gives the right to a change. No one needs longer to read a secret
// off a screen, and a program left waiting must not change anything once passwords, tickets and
// devices are different.
const ProofLife = 15 * time.Minute

// Errors that say why a proof gives no right to a change.
var (
	// ErrRight says that nothing that gives the right was proven, or that only root has it.
	ErrRight = errors.New("nothing proves the right to this change")
	// ErrProof says that the proof is too old.
	ErrProof = errors.New("this took too long")
	// ErrMeanwhile keeps out a thief who proved the password alone while there was no factor, or
	// gave a code of a stolen device, and left enroll waiting until the owner had enrolled or
	// removed that device.
	ErrMeanwhile = errors.New("the devices of this account were changed meanwhile")
)

// errFirstNoLonger is ErrMeanwhile for a proof of the right to a first enrollment.
var errFirstNoLonger = fmt.Errorf("%w: %w", ErrEnrolled, ErrMeanwhile)

// Proof is the right to change what one user has. Every change takes one and checks it under the
// lock that makes the change, because it may be minutes old. The zero Proof gives no right.
type Proof struct {
	by    prover
	user  record.User
	began time.Time        // when the first thing was proven
	clock func() time.Time // tells how long ago that is

	ticket state.OneTimeCode  // byTicket: the ticket, which the enrollment uses up
	of     state.EnrollmentID // byCode: the enrollment that the code belongs to
	device *state.DeviceID    // byCode: the device that made the code; nil: none
	codes  *state.SetID       // byCode: the set of the recovery code; nil: it was not one

	sealed []byte // in a fleet: what only its service can read; by is then byNothing
}

// prover says what proves the right.
type prover int

const (
	byNothing prover = iota
	byRoot
	byPassword
	byTicket
	byCode
)

// ByRoot returns the right of root, who may change everything at any time.
func ByRoot() Proof { return Proof{by: byRoot} }

// ByPassword returns the right to a first enrollment, where no ticket is required, of a user whose
// password was given at began.
func ByPassword(u record.User, began time.Time, clock func() time.Time) Proof {
	return Proof{by: byPassword, user: u, began: began, clock: clock}
}

// ByTicket returns the right to a first enrollment where the policy also requires a ticket: the
// one that VerifyTicket found.
func ByTicket(u record.User, began time.Time, clock func() time.Time,
	ticket state.OneTimeCode) Proof {
	p := ByPassword(u, began, clock)
	p.by, p.ticket = byTicket, ticket
	return p
}

// ByCode returns the right of a user who gave the password at began and then a code, which was
// compared with the record and led to match. A match that is not Accepted gives no right.
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

// allowsAll returns why p gives no right to what only root may do, or nil.
func (p Proof) allowsAll() error {
	if p.by != byRoot {
		return ErrRight
	}
	return nil
}

// allows returns why p gives no right to change what u, whose record is r, has; nil if it gives
// the right.
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

// allowsFirst returns why an enrollment would no longer be the first, or nil.
func (p Proof) allowsFirst(r *record.Record) error {
	switch {
	case r != nil:
		return errFirstNoLonger
	case p.by == byTicket && !factor.Live(p.ticket, p.clock()):
		return ErrTicket
	}
	return nil
}

// allowsChange reports whether r still has the device or recovery code that the proof is of.
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
