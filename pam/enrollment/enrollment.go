package enrollment

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Enrollment is everything a user has: devices and, in the same order, the moving factor up to
// which each was used (for a token: the next counter); recovery codes, if any, with a bit for each
// that is used, the lowest bit being the first.
type Enrollment struct {
	Devices  []record.Device
	Counters []uint64
	Recovery record.Recovery
	Used     uint64

	saved *state.State // of a backup, raised; nil: there is none
}

// state returns the state of a user who has nothing else.
func (e Enrollment) state(u record.User) state.State {
	st := state.State{}
	if e.saved != nil {
		st = *e.saved
	}
	st.UID, st.Enrollment, st.Devices = u.UID, state.EnrollmentID{}, nil
	st.Recovery = state.Recovery{Set: e.Recovery.ID, Used: e.Used}
	st.Next = state.Recovery{}
	for i := range e.Devices {
		st.Devices = append(st.Devices, e.device(i))
	}
	return st
}

// device returns what is used up of device number i.
func (e Enrollment) device(i int) state.Device {
	id := e.Devices[i].ID
	if e.saved == nil {
		return state.Device{ID: id, Counter: e.Counters[i]}
	}
	return *e.saved.Device(id)
}

// Add gives u one more device, whose moving factor was used up to counter, and enrolls u if it is
// the first. After a crash at any instant there is the old enrollment or the new one.
func (s Store) Add(p Proof, u record.User, d record.Device, counter uint64) error {
	return s.Exclusive(func() error {
		first := Enrollment{Devices: []record.Device{d}, Counters: []uint64{counter}}
		return s.enrollOr(p, u, first, func(account *factor.Account) error {
			next := *account.Record
			if next.Find(d.Label) != nil {
				return record.LabelTaken(d.Label)
			}
			if twin := twinOf(&next, &d); twin != nil {
				return fmt.Errorf("the device %q has this %s already", twin.Label,
					secretOf(d.Type))
			}
			next.Devices = append(slices.Clone(next.Devices), d)
			return s.rewrite(account, &next, first)
		})
	})
}

// Enroll gives u all of e at once. A user who has a record keeps it; the error then matches
// ErrEnrolled.
func (s Store) Enroll(p Proof, u record.User, e Enrollment) error {
	return s.Exclusive(func() error {
		return s.enrollOr(p, u, e, func(*factor.Account) error { return ErrEnrolled })
	})
}

// Replace is root's Enroll for a user who may have a record: at any instant, either all of the old
// enrollment works or all of the new one. Failures and locks stay.
func (s Store) Replace(p Proof, u record.User, e Enrollment) error {
	return s.Exclusive(func() error {
		return s.Import(p, u, e, func(*factor.Account) (Enrollment, error) { return e, nil })
	})
}

// Import is root's Enroll for a caller that enrolls many users and holds Exclusive meanwhile. Once
// the host key exists, and for phones the host's file, it may enroll several users at the same
// time. For a user who has a record, replace returns the new one, or an error to keep the old one.
// The account is locked: no login uses anything up between the two.
func (s Store) Import(p Proof, u record.User, e Enrollment,
	replace func(old *factor.Account) (Enrollment, error)) error {
	if err := p.allowsAll(); err != nil {
		return err
	}
	return s.enrollOr(p, u, e, func(account *factor.Account) error {
		e, err := replace(account)
		if err != nil {
			return err
		}
		next := *account.Record
		next.Devices, next.Recovery = e.Devices, e.Recovery
		err = s.rewrite(account, &next, e)
		if err != nil && !errors.Is(err, safefile.ErrInForce) {
			return err
		}
		return errors.Join(err, endBypass(account))
	})
}

// endBypass revokes a code that root gave out, because the user it was for now has another way in.
func endBypass(a *factor.Account) error {
	if a.State.Bypass == (state.OneTimeCode{}) {
		return nil
	}
	a.State.Bypass = state.OneTimeCode{}
	if err := factor.Commit(a.State); err != nil {
		return fmt.Errorf("the bypass code could not be revoked: %w; %w", err, safefile.ErrInForce)
	}
	return nil
}

// enrollOr enrolls a user who has no record; for one who has, it calls replace. The caller holds
// Exclusive.
func (s Store) enrollOr(
	p Proof, u record.User, e Enrollment, replace func(*factor.Account) error) error {
	account, err := s.Open(u)
	if errors.Is(err, factor.ErrUnenrolled) {
		return s.enroll(p, u, e)
	}
	if err != nil {
		return err
	}
	defer account.Close()
	if err := p.allows(u, account.Record); err != nil {
		return err
	}
	if err := s.ensureHostFor(e); err != nil {
		return err
	}
	return replace(account)
}

// ensureHostFor makes the host's file if e has a phone, because sends are counted there.
func (s Store) ensureHostFor(e Enrollment) error {
	if !e.hasPhone() {
		return nil
	}
	return s.ensureHost()
}

func (e Enrollment) hasPhone() bool {
	phone := func(d record.Device) bool { return d.Type == method.Phone }
	return slices.ContainsFunc(e.Devices, phone)
}

// enroll makes the state, then the record, of a user who has no record, and then marks the two in
// the state as belonging together. A state that exists already is left over from a reset or an
// interrupted enrollment, or holds the user's ticket.
func (s Store) enroll(p Proof, u record.User, e Enrollment) error {
	if err := p.allows(u, nil); err != nil {
		return err
	}
	old, err := s.States.Lock(u.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer old.Close()
	st := e.state(u)
	left, err := old.Read()
	if err == nil {
		// One of the sends may be that of the code that proved the number. The ticket is used up
		// once the record exists.
		st.Ticket = left.Ticket
		st.Tighten(left)
	}
	if p.by == byTicket && (err != nil || !sameCode(left.Ticket, p.ticket)) {
		return ErrTicket
	}
	if err := s.ensureHostFor(e); err != nil {
		return err
	}
	if err := s.note(u); err != nil {
		return err
	}
	if err := s.States.Create(u.Name, st); err != nil {
		return err
	}
	r := e.record(u)
	saved := s.Records.Save(r)
	if saved != nil && !errors.Is(saved, safefile.ErrInForce) {
		s.putBack(u.Name, left)
		return saved
	}
	s.finish(u.Name, r.Enrollment, (*state.File).Commit)
	return saved
}

// putBack undoes what enroll did to the state. If it cannot, nothing fails for that: a state
// without an enrollment id belongs to no record.
func (s Store) putBack(name string, left *state.State) {
	if left == nil {
		s.States.Remove(name)
	} else {
		s.States.Create(name, *left)
	}
}

// finish gives the state of a user who now has a record its enrollment id, so that from then on a
// missing record is a lost one, and removes the ticket, which no longer opens anything. If that
// cannot be saved now, nothing fails: the next login does it.
func (s Store) finish(name string, id state.EnrollmentID, commit func(*state.File) error) {
	if st, err := s.States.Open(name); err == nil {
		defer st.Close()
		st.Enrollment, st.Ticket = id, state.OneTimeCode{}
		commit(st)
	}
}

// secretOf returns what makes a device of a type the one it is.
func secretOf(t method.Method) string {
	switch t {
	case method.Phone:
		return "number"
	case method.Key:
		return "key"
	}
	return "secret"
}

// twinOf returns the device of r that makes the same codes as d, or has the same number: a code
// used up with one would be accepted by the other.
func twinOf(r *record.Record, d *record.Device) *record.Device {
	i := slices.IndexFunc(r.Devices, func(old record.Device) bool {
		return old.Type == d.Type && bytes.Equal(old.Secret, d.Secret)
	})
	if i < 0 {
		return nil
	}
	return &r.Devices[i]
}
