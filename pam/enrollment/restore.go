package enrollment

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Saved is what a backup has of a user, and what is wanted of it.
type Saved struct {
	Record *record.Record
	State  *state.State
	// Replace has it take the place of what the user has here, readable or not.
	Replace bool
	// KeepCodes has recovery codes count that were not used when the backup was made. They may
	// have been used since.
	KeepCodes bool
}

// Restore gives u what a backup has, at the time now: nothing in it brings a used code to life, as
// factor.Raise says. Failures and locks are the stricter of those saved and those here. At any
// instant, either all of the old enrollment works or all of the new one; of an old one that cannot
// be used, none does until the new one works. It takes root, and the caller holds Exclusive. The
// error matches ErrEnrolled if u has a second factor and Replace was not asked for.
func (s Store) Restore(p Proof, u record.User, saved Saved, now time.Time) error {
	if err := p.allowsAll(); err != nil {
		return err
	}
	e, err := saved.raised(now)
	if err != nil {
		return err
	}
	account, err := s.Open(u)
	switch {
	case errors.Is(err, factor.ErrUnenrolled):
		return s.enroll(p, u, e)
	case err != nil && saved.mayReplace(err):
		return s.renew(u, e)
	case err != nil:
		return err
	}
	defer account.Close()
	if !saved.Replace {
		return ErrEnrolled
	}
	return s.restoreOver(account, e)
}

// raised returns what may count of a backup at the time now.
func (saved Saved) raised(now time.Time) (Enrollment, error) {
	r, st := saved.Record, *saved.State
	for _, d := range r.Devices {
		if st.Device(d.ID) == nil {
			return Enrollment{}, fmt.Errorf("%w: the backup's does not know the device %q",
				factor.ErrState, d.Label)
		}
	}
	read := factor.Account{Record: r, State: &state.File{State: st}}
	used := read.UsedCodes()
	factor.Raise(&st, r, now)
	e := Enrollment{Devices: r.Devices, Recovery: r.Recovery, Used: ^uint64(0), saved: &st}
	if saved.KeepCodes && used != nil {
		e.Used = used.Used
	}
	return e, nil
}

// mayReplace reports whether an account that Open refuses with err is to be replaced: it cannot be
// used, and nothing else will mend it. A lock, a full disk, another name of the uid and another
// version are not that.
func (saved Saved) mayReplace(err error) bool {
	for _, passing := range []error{safefile.ErrBusy, safefile.ErrGone, state.ErrSave,
		state.ErrNewer, record.ErrNewer, record.ErrName, record.ErrNoKey, record.ErrKey} {
		if errors.Is(err, passing) {
			return false
		}
	}
	return saved.Replace && !errors.As(err, new(*factor.NamesakeError))
}

// restoreOver replaces what a user has. Devices that both have keep the stricter of both counts.
func (s Store) restoreOver(account *factor.Account, e Enrollment) error {
	if err := s.ensureHostFor(e); err != nil {
		return err
	}
	st, old := &account.State.State, account.Record
	st.Tighten(e.saved)
	st.Trusts, st.Pendings, st.Bypass = nil, nil, state.OneTimeCode{}
	for i, d := range e.Devices {
		if used := st.Device(d.ID); used != nil && has(old, d.ID) {
			*used = used.Stricter(e.device(i))
		}
	}
	if used := account.UsedCodes(); used != nil && e.Recovery.ID == old.Recovery.ID {
		used.Used |= e.Used
	}
	next := *old
	next.Devices, next.Recovery = e.Devices, e.Recovery
	return s.rewrite(account, &next, e)
}

// renew puts an enrollment in place of one that cannot be used. Its state is there first and names
// the new record, so that no instant makes a user one who never enrolled.
func (s Store) renew(u record.User, e Enrollment) error {
	lock, err := s.States.Lock(u.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer lock.Close()
	if err := s.ensureHostFor(e); err != nil {
		return err
	}
	if err := s.note(u); err != nil {
		return err
	}
	r := &record.Record{Name: u.Name, UID: u.UID, Devices: e.Devices, Recovery: e.Recovery}
	rand.Read(r.Enrollment[:])
	st := e.state(u)
	if left, err := lock.Read(); err == nil {
		st.Tighten(left)
	}
	st.Enrollment = r.Enrollment
	if err := s.States.Create(u.Name, st); err != nil {
		return err
	}
	return s.Records.Save(r)
}
