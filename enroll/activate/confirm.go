package activate

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"latchkey/enroll/activate/journal"
	"latchkey/enroll/activate/session"
	"latchkey/enroll/hint"
	"latchkey/pam/method"
	"latchkey/pam/state"
)

// Login is the login from which an activation is confirmed.
type Login struct {
	session.Session
	User     string
	Now      journal.Moment // at which it is looked at
	Accepted state.Attempt  // the user's last login that was let in
	Came     time.Time      // when the user was last let in from an address, by any service
}

// ErrNothing says that there is nothing to confirm.
var ErrNothing = errors.New("nothing is to be confirmed")

// Confirm keeps a pending activation. The login must be a new one, that a code let in: otherwise
// it would prove nothing about the next.
func (a Activation) Confirm(find func() (Login, error)) (*journal.Journal, error) {
	dir, err := a.Store.Lock(a.Patience)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	j, err := a.Store.Load()
	if err != nil || j.State == journal.Active {
		return j, err
	}
	if j.State != journal.Pending {
		return j, ErrNothing
	}
	if j.Due(a.Now()) == 0 {
		return j, hint.Error("too late: it is being undone", "start again: enroll activate")
	}
	l, err := find()
	if err == nil {
		err = l.proves(j)
	}
	if err != nil {
		return j, err
	}
	j.State, j.By, j.At = journal.Active, l.User, a.Now().Wall
	if err := j.Save(dir); err != nil {
		return j, err
	}
	return j, errors.Join(a.Disarm(), journal.Release(dir))
}

// another is the hint where a login proves nothing.
const another = "log in by SSH once more, in a second terminal, with a code, and type it there"

// proves reports why a login does not show that users get in with a code.
func (l Login) proves(j *journal.Journal) error {
	if j.InForce.Wall.IsZero() {
		return hint.Error("it is not known since when sshd asks for codes", "wait until it is "+
			"undone, and start again: enroll activate")
	}
	began, after := l.since(j.InForce)
	switch by := l.Accepted.Method; {
	case !after:
		return hint.Error("this login is older than enroll activate", another)
	case l.Accepted.At.IsZero() || l.Accepted.At.Before(began.Truncate(time.Second)):
		return hint.Error(fmt.Sprintf("no code of %s has been accepted since this login began",
			l.User), another)
	case !slices.Contains(typed, by):
		return hint.Error(fmt.Sprintf("%s was let in without a code (%s)", l.User, by), another)
	case l.Accepted.Service != j.SSHD && l.Came.Before(began.Truncate(time.Second)):
		// A code for sudo is a later one than that of the login, if the login took one.
		return hint.Error(fmt.Sprintf("the last code of %s was for %s", l.User,
			l.Accepted.Service), another)
	}
	return nil
}

// typed are the methods that show that the user can log in with a code, or with what stands for
// one. A computer that is trusted shows nothing.
var typed = []method.Method{method.TOTP, method.HOTP, method.Recovery, method.SMS, method.Call,
	method.Key, method.Bypass}

// since is when the connection began by the wall's clock, and whether that was after a moment.
func (l Login) since(m journal.Moment) (began time.Time, after bool) {
	now := l.Now
	if now.Boot == "" || now.Boot != m.Boot {
		// The machine was started since: each session is newer, and began this long ago.
		return now.Wall.Add(l.Began - now.Up), now.Boot != ""
	}
	return m.Wall.Add(l.Began - m.Up), l.Began >= m.Up
}
