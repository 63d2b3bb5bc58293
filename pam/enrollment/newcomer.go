package enrollment

import (
	"crypto/rand"
	"errors"
	"io/fs"

	"latchkey/pam/enrollment/crowd"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Newcomer is a user who is to be enrolled together with others. Err, which EnrollMany sets, says
// why the user is not, as the error of Enroll does; it matches crowd.ErrAlone if Import may do it.
type Newcomer struct {
	User record.User
	Has  Enrollment
	crowd.Member

	id state.EnrollmentID
}

// isNew reports whether u has neither a state nor a record.
func (s Store) isNew(u record.User) bool {
	lock, err := s.States.Lock(u.Name)
	if !errors.Is(err, fs.ErrNotExist) {
		lock.Close()
		return false
	}
	_, err = s.Records.Load(u)
	return errors.Is(err, fs.ErrNotExist)
}

// noteNew notes u's uid, unless someone else is enrolled with it.
func (s Store) noteNew(u record.User) error {
	if s.Owners.AddFirst(u.UID, u.Name) == nil {
		return nil
	}
	if other, err := s.Namesake(u); err != nil || other != "" {
		return crowd.ErrAlone // Import says why
	}
	return s.note(u)
}

// stage writes n's state and record, which no one sees yet.
func (s Store) stage(n *Newcomer) (err error) {
	if !s.isNew(n.User) {
		return crowd.ErrAlone
	}
	if err := s.noteNew(n.User); err != nil {
		return err
	}
	states, records := s.States.(state.Store), s.Records.(record.Store)
	if n.State, err = states.Stage(n.User.Name, n.Has.state(n.User)); err != nil {
		return err
	}
	r := n.Has.record(n.User)
	n.id = r.Enrollment
	n.Record, err = records.Stage(r)
	return err
}

// record returns the record of a user who has nothing else.
func (e Enrollment) record(u record.User) *record.Record {
	r := &record.Record{Name: u.Name, UID: u.UID, Devices: e.Devices, Recovery: e.Recovery}
	rand.Read(r.Enrollment[:])
	return r
}
