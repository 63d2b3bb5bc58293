// Package activate has logins ask for codes, and undoes that by itself unless it is confirmed from
// a new login.
package activate

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey/enroll/activate/journal"
	"latchkey/enroll/activate/plan"
	"latchkey/enroll/activate/session"
	"latchkey/enroll/hint"
	"latchkey/pam/safefile"
)

// Activation changes a machine. Its functions are the machine's own but in tests.
type Activation struct {
	Store    journal.Store
	Now      func() journal.Moment
	Pause    func(time.Duration)
	Patience safefile.Patience
	Check    func() error // whether sshd can use its configuration
	Reload   func() error // sshd reads it
	// Arm has Await run when the machine starts, Disarm no longer; Watch starts it now.
	Arm, Disarm, Watch func() error
}

// ErrAlready says that logins ask for codes already, by an activation.
var ErrAlready = hint.Error("enroll activate has been done already",
	"enroll activate --status says what is in force")

// Begin makes the changes of a plan, to be undone within that time.
func (a Activation) Begin(p plan.Plan, w plan.Wish, within time.Duration) (*journal.Journal,
	error) {
	dir, err := a.Store.Lock(a.Patience)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	before, err := a.Store.Load()
	if err == nil && before.State != journal.Inactive {
		err = ErrAlready
	}
	if err != nil {
		return nil, err
	}
	j := &journal.Journal{State: journal.Pending, Stack: string(w.Stack), SSHD: w.SSHD,
		Services: p.Services, Began: a.Now(), Within: within}
	if err := a.note(dir, j, p); err != nil {
		return nil, err
	}
	// From here on a crash is followed by what undoes it.
	if err := a.Arm(); err != nil {
		return nil, errors.Join(err, a.Disarm())
	}
	if err := j.Save(dir); err != nil {
		return nil, errors.Join(err, a.Disarm())
	}
	if err := a.put(j, p); err != nil {
		return nil, a.failed(dir, j, err)
	}
	j.InForce = a.Now()
	if err := j.Save(dir); err != nil {
		return nil, a.failed(dir, j, err)
	}
	a.Pause(session.Tick) // a login from here on is seen to be newer
	return j, nil
}

// note keeps what is needed to undo the changes, and room for that.
func (a Activation) note(dir *safefile.Dir, j *journal.Journal, p plan.Plan) error {
	for _, c := range p.Changes {
		f, err := a.Store.Note(dir, c.Path, c.Before, c.After, c.Existed)
		if err != nil {
			return err
		}
		j.Files = append(j.Files, f)
	}
	return journal.Reserve(dir)
}

// put starts what undoes the changes, and makes them.
func (a Activation) put(j *journal.Journal, p plan.Plan) error {
	if err := a.Watch(); err != nil {
		return fmt.Errorf("start what undoes this: %w", err)
	}
	for i, c := range p.Changes {
		if err := a.Store.Write(j.Files[i], c.After); err != nil {
			return err
		}
	}
	if err := a.Check(); err != nil {
		return err
	}
	return a.Reload()
}

// failed undoes what was done so far.
func (a Activation) failed(dir *safefile.Dir, j *journal.Journal, why error) error {
	if err := a.undo(dir, j, "", why.Error()); err != nil {
		return fmt.Errorf("%w; and undoing it failed: %w", why, err)
	}
	return fmt.Errorf("%w; everything is as it was", why)
}

// Edited is the error of files that others have changed since the activation.
type Edited struct{ Files []journal.File }

func (e *Edited) Error() string {
	var names []string
	for _, f := range e.Files {
		names = append(names, f.Path)
	}
	return strings.Join(names, " and ") + ": changed since enroll activate; not overwritten"
}

// Undo undoes an activation by hand: all of it, or, if others have changed one of its files since,
// nothing.
func (a Activation) Undo(by string) (*journal.Journal, error) {
	dir, err := a.Store.Lock(a.Patience)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	j, err := a.Store.Load()
	if err != nil || j.State == journal.Inactive {
		return j, err
	}
	edited, err := a.edited(j)
	if err != nil {
		return j, err
	}
	if len(edited) > 0 {
		return j, &Edited{edited}
	}
	return j, a.undo(dir, j, by, "enroll deactivate")
}

// edited are the files that others have changed.
func (a Activation) edited(j *journal.Journal) (files []journal.File, err error) {
	for _, f := range j.Files {
		holds, err := a.Store.Content(f)
		if err != nil {
			return nil, err
		}
		if holds == journal.Other {
			files = append(files, f)
		}
	}
	return files, nil
}

// undo restores the files that hold what the activation wrote, the last one first. Those that
// others have changed keep what they wrote. If one cannot be restored, or sshd cannot use what is
// there then and goes on with what it has read, the activation stays pending.
func (a Activation) undo(dir *safefile.Dir, j *journal.Journal, by, why string) error {
	_ = journal.Release(dir) // without room it is tried all the same
	if err := a.restore(j); err != nil {
		return err
	}
	if err := a.Check(); err != nil {
		return err
	}
	failed := a.reload()
	j.State, j.By, j.At, j.Why, j.Undone = journal.Inactive, by, a.Now().Wall, why, true
	return errors.Join(failed, j.Save(dir), a.Disarm())
}

// reload has sshd read what was put back. Until it has, it goes on with the options of the
// activation, so a failure that may pass ends nothing.
func (a Activation) reload() (err error) {
	for tries := 1; ; tries++ {
		if err = a.Reload(); err == nil || tries == mostReloads {
			return err
		}
		a.Pause(again)
	}
}

func (a Activation) restore(j *journal.Journal) error {
	var errs []error
	j.Left, j.Theirs = nil, nil
	for _, f := range slices.Backward(j.Files) {
		holds, err := a.Store.Restore(f)
		switch {
		case err != nil:
			errs = append(errs, err)
		case holds == journal.Theirs:
			j.Theirs = append(j.Theirs, f.Path)
		case holds == journal.Other:
			j.Left = append(j.Left, f.Path)
		}
	}
	return errors.Join(errs...)
}

// Await waits until a pending activation is confirmed or due, and undoes it then. It comes back
// with an error only if it could not find out whether there is one.
func (a Activation) Await() (*journal.Journal, error) {
	for retry := again; ; {
		j, err := a.Store.Load()
		if err != nil {
			return j, err
		}
		if j.State != journal.Pending {
			return j, a.clean()
		}
		due := j.Due(a.Now())
		if due == 0 {
			if j, err := a.Overdue(); err == nil {
				return j, nil
			}
			due, retry = retry, min(2*retry, seldom)
		} else {
			due = min(due, again)
		}
		a.Pause(due)
	}
}

// How long Await waits before it looks again, and at most before it tries again: each try may have
// sshd read its configuration.
const (
	again  = 2 * time.Second
	seldom = time.Minute
)

// mostReloads is how often sshd is told to read what was put back. Each time may take a minute.
const mostReloads = 3

// Unconfirmed is why an activation was undone that no one confirmed.
const Unconfirmed = "no one has confirmed it in time"

// clean removes what starts with the machine and is of no use, because a command was killed before
// it could.
func (a Activation) clean() error {
	dir, err := a.Store.Lock(a.Patience)
	if err != nil {
		return err
	}
	defer dir.Close()
	if j, err := a.Store.Load(); err != nil || j.State == journal.Pending {
		return err
	}
	return a.Disarm()
}

// Overdue undoes a pending activation whose time is over, where what waits for that was killed.
func (a Activation) Overdue() (*journal.Journal, error) {
	dir, err := a.Store.Lock(a.Patience)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	j, err := a.Store.Load()
	if err != nil || j.State != journal.Pending || j.Due(a.Now()) > 0 {
		return j, err
	}
	return j, a.undo(dir, j, "", Unconfirmed)
}

// HowToGoOn is what to do about files that others have changed.
func (e *Edited) HowToGoOn() string {
	var next []string
	for _, f := range e.Files {
		if f.Existed {
			next = append(next, fmt.Sprintf("cat %s/%s >%s", journal.Folder, f.Copy, f.Path))
		} else {
			next = append(next, "rm "+f.Path)
		}
	}
	return "look at them, and put back what was there before: " + strings.Join(next, "; ") +
		"; then again: enroll deactivate"
}

// Hinted adds to the error of an edited file how to go on.
func Hinted(err error) error {
	var e *Edited
	if errors.As(err, &e) {
		return hint.Error(e.Error(), e.HowToGoOn())
	}
	return err
}
