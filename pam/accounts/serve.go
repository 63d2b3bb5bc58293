package accounts

import (
	"errors"
	"strings"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/limit"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// Caller is the host that asks, and what the fleet says about it and its users. The zero Caller
// may ask nothing.
type Caller struct {
	Host   string
	Enroll bool // it may have its users change what they have
	Admin  bool // its root may change what everyone has
	// NoTicket: a first enrollment needs no ticket, only the host's word that it saw the password.
	NoTicket bool
	// Where names hosts that have their users change what they have.
	Where  func() []string
	Limits limit.Guesses
	Phone  policy.Phone
	Key    []byte // seals proofs; the fleet's, and secret
}

// errEmpty says that one side of the wire left out what the other needs.
var errEmpty = errors.New("the message lacks something that the operation needs")

// served is one question, being answered.
type served struct {
	on   Local
	by   Caller
	user record.User
	q    question
	a    Reply
}

// serves does each operation. An error goes to the host as the answer to it, but for a fault of
// the wire.
var serves = map[string]func(*served) error{
	"enroll.rules":        (*served).rules,
	"enroll.view":         (*served).view,
	"enroll.names":        (*served).names,
	"enroll.try":          (*served).try,
	"enroll.try-ticket":   (*served).tryTicket,
	"enroll.send":         (*served).send,
	"enroll.judge":        (*served).judge,
	"enroll.add":          (*served).add,
	"enroll.enroll":       (*served).enroll,
	"enroll.take-over":    (*served).takeOver,
	"enroll.remove":       (*served).remove,
	"enroll.rename":       (*served).rename,
	"enroll.exchange":     (*served).exchange,
	"enroll.set-recovery": (*served).setRecovery,
	"enroll.distrust":     (*served).distrust,
	"enroll.reset":        (*served).reset,
	"enroll.unlock":       (*served).unlock,
	"enroll.set-bypass":   (*served).setBypass,
	"enroll.set-ticket":   (*served).setTicket,
}

// Ops are the operations that Serve knows.
func Ops() (all []string) {
	for op := range serves {
		all = append(all, op)
	}
	return all
}

// Serve does what a host's enroll asks for on the accounts of a fleet, and returns the body of the
// answer. The error is a *wire.Error; then nothing was done.
func Serve(l Local, c Caller, u record.User, op string, body []byte) (Reply, error) {
	s := &served{on: l, by: c, user: u}
	do := serves[op]
	if do == nil || wire.Decode(body, &s.q) != nil {
		return Reply{}, wire.Errorf(wire.Protocol, "not a question of enroll's: %q", op)
	}
	switch {
	case c.Enroll || c.Admin:
	case s.q.Right.Root:
		return Reply{}, needs(c, "admin")
	default:
		return Reply{}, needs(c, "enroll")
	}
	err := do(s)
	if fault := new(wire.Error); errors.As(err, &fault) {
		return Reply{}, fault
	}
	if s.a.Failed = failureOf(err); err != nil {
		s.a = Reply{Failed: s.a.Failed, Sent: Sent{Wait: s.a.Sent.Wait}, wanted: s.a.wanted}
	}
	return s.a, nil
}

// needs is the fault of a host without a role. Its text is for people.
func needs(c Caller, role string) error {
	if role == "enroll" && c.Where != nil {
		if all := c.Where(); len(all) > 0 {
			return wire.Errorf(wire.Role, "Users enroll on: %s, and not on %s",
				strings.Join(all, ", "), c.Host)
		}
	}
	return wire.Errorf(wire.Role, "%s does not have the role %q", c.Host, role)
}

// proof is the right that the host presents. Of root's and of the password it is the host's word,
// which its role makes good.
func (s *served) proof() (enrollment.Proof, error) {
	has := s.q.Right
	switch {
	case has.Root && !s.by.Admin:
		return enrollment.Proof{}, needs(s.by, "admin")
	case has.Root:
		return enrollment.ByRoot(), nil
	case !s.by.Enroll:
		return enrollment.Proof{}, needs(s.by, "enroll")
	case len(has.Sealed) > 0:
		return s.unseal(has.Sealed)
	case has.Password && s.by.NoTicket:
		return enrollment.ByPassword(s.user, s.before(has.Ago), s.on.Clock), nil
	}
	return enrollment.Proof{}, enrollment.ErrRight
}

// before is the time so long ago.
func (s *served) before(ago time.Duration) time.Time { return s.on.Clock().Add(-max(ago, 0)) }

func (s *served) tried() Try {
	return Try{User: s.user, Code: s.q.Code, Began: s.before(s.q.Ago), Limits: s.by.Limits}
}

func (s *served) rules() error {
	s.a.Ticket = !s.by.NoTicket
	return nil
}

func (s *served) view() error {
	r, st, err := s.on.View(s.user)
	if err == nil {
		s.a.Record, s.a.State = Redact(r, st)
	}
	return err
}

// pageSize is how many bytes of names fit an answer.
const pageSize = 16 << 10

func (s *served) names() error {
	if !s.by.Admin {
		return needs(s.by, "admin")
	}
	var err error
	s.a.Names, s.a.More, err = s.on.page(s.q.Name, pageSize)
	return err
}

func (s *served) try() error {
	m, p, err := s.on.Try(s.tried())
	if s.a.Match = matchOf(m); err != nil || m.Result != factor.Accepted {
		return err
	}
	s.a.Sealed, err = s.seal(p)
	return err
}

func (s *served) tryTicket() error {
	result, p, err := s.on.TryTicket(s.tried())
	if s.a.Match.Result = result; err != nil || result != factor.Accepted {
		return err
	}
	s.a.Sealed, err = s.seal(p)
	return err
}

// change makes a change with the right that the host presents, if the question is whole.
func (s *served) change(whole bool, do func(p enrollment.Proof) error) error {
	p, err := s.proof()
	switch {
	case err != nil:
		return err
	case !whole:
		return errEmpty
	}
	s.a.wanted = true
	return do(p)
}

func (s *served) add() error {
	return s.change(s.q.Device != nil, func(p enrollment.Proof) error {
		return s.on.Add(p, s.user, *s.q.Device, s.q.Counter)
	})
}

// enrollment reports whether the question has a whole one.
func (q *question) enrollment() bool {
	e := q.Enrollment
	return e != nil && len(e.Devices) > 0 && len(e.Devices) == len(e.Counters)
}

func (s *served) enroll() error {
	return s.change(s.q.enrollment(), func(p enrollment.Proof) error {
		return s.on.Enroll(p, s.user, *s.q.Enrollment)
	})
}

func (s *served) takeOver() error {
	return s.change(s.q.enrollment(), func(p enrollment.Proof) (err error) {
		if err := s.canBeSentTo(s.q.Enrollment.Devices); err != nil {
			return err
		}
		s.a.TookOver, err = s.on.TakeOver(p, s.user, *s.q.Enrollment, s.q.Replace)
		return err
	})
}

func (s *served) remove() error {
	return s.change(s.q.Name != "", func(p enrollment.Proof) error {
		return s.on.Remove(p, s.user, s.q.Name)
	})
}

func (s *served) rename() error {
	return s.change(s.q.Name != "", func(p enrollment.Proof) error {
		return s.on.Rename(p, s.user, s.q.Name, s.q.Label)
	})
}

func (s *served) exchange() error {
	return s.change(s.q.Exchange != nil, func(p enrollment.Proof) error {
		return s.on.Exchange(p, s.user, *s.q.Exchange)
	})
}

func (s *served) setRecovery() error {
	return s.change(s.q.Recovery != nil, func(p enrollment.Proof) error {
		return s.on.SetRecovery(p, s.user, *s.q.Recovery)
	})
}

func (s *served) distrust() error {
	return s.change(s.q.Computers != nil, func(p enrollment.Proof) (err error) {
		s.a.Trusts, err = s.on.Distrust(p, s.user, *s.q.Computers)
		return err
	})
}

func (s *served) reset() error {
	return s.change(true, func(p enrollment.Proof) error { return s.on.Reset(p, s.user.Name) })
}

func (s *served) unlock() error {
	return s.change(true, func(p enrollment.Proof) (err error) {
		s.a.Changed, err = s.on.Unlock(p, s.user, s.by.Limits, s.on.Clock())
		return err
	})
}

func (s *served) setBypass() error {
	return s.change(s.q.OneTime != nil, func(p enrollment.Proof) error {
		return s.on.SetBypass(p, s.user, *s.q.OneTime)
	})
}

func (s *served) setTicket() error {
	return s.change(s.q.OneTime != nil, func(p enrollment.Proof) error {
		return s.on.SetTicket(p, s.user, *s.q.OneTime)
	})
}
