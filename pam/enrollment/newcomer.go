package enrollment

import (
	"crypto/rand"
	"errors"

	"golang.org/x/sys/unix"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Newcomer is a user who is to be enrolled together with others.
type Newcomer struct {
	User record.User
	Has  Enrollment
	// Err says why EnrollMany has not enrolled the user; one that matches safefile.ErrInForce
	// means what it means of Enroll.
	Err error

	id            state.EnrollmentID
	state, record *safefile.Staged
}

// ErrAlone says that a user cannot be enrolled together with others, but perhaps by Import: they
// have a record or a state already, or the name or uid of one of the others.
var ErrAlone = errors.New("not to be enrolled together with others")

// isNew reports whether u has nothing here.
func (s Store) isNew(u record.User) bool {
	if lock, err := s.States.Lock(u.Name); err == nil {
		lock.Close()
		return false
	}
	account, err := s.Open(u)
	if err == nil {
		account.Close()
	}
	return errors.Is(err, factor.ErrUnenrolled)
}

// stage writes n's state and record, which no one sees yet.
func (s Store) stage(n *Newcomer) (err error) {
	if !s.isNew(n.User) {
		return ErrAlone
	}
	if err := s.note(n.User); err != nil {
		return err
	}
	states, records := s.States.(state.Store), s.Records.(record.Store)
	if n.state, err = states.Stage(n.User.Name, n.Has.state(n.User)); err != nil {
		return err
	}
	r := n.Has.record(n.User)
	n.id = r.Enrollment
	n.record, err = records.Stage(r)
	return err
}

// record returns the record of a user who has nothing else.
func (e Enrollment) record(u record.User) *record.Record {
	r := &record.Record{Name: u.Name, UID: u.UID, Devices: e.Devices, Recovery: e.Recovery}
	rand.Read(r.Enrollment[:])
	return r
}

// flush brings to the disk what stage wrote.
func (n *Newcomer) flush() error {
	if err := n.state.Flush(); err != nil {
		return err
	}
	return n.record.Flush()
}

// inForce reports whether the user is enrolled now.
func (n *Newcomer) inForce() bool { return n.Err == nil || errors.Is(n.Err, safefile.ErrInForce) }

// discard removes what is left of a user who is not enrolled. A state that cannot be removed belongs
// to no record.
func (n *Newcomer) discard() {
	if n.state != nil && !n.inForce() {
		n.state.Undo(nil)
	}
	for _, file := range []*safefile.Staged{n.state, n.record} {
		if file != nil {
			file.Discard()
		}
	}
}

// mostTogether is how many users are enrolled together at most: enough that the disk is hardly ever
// waited for.
const mostTogether = 512

// together is how many users are enrolled together. Two files of each are open meanwhile, and of as
// many users who are next.
func together() int {
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) != nil {
		return 1
	}
	return int(max(1, min(mostTogether, files.Cur/8)))
}
