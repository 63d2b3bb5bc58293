package enrollment

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Errors that callers tell apart.
var (
	// ErrEnrolled says that a user has a second factor, so this is no first enrollment.
	ErrEnrolled = errors.New("a second factor is set up already")
	// ErrLastDevice says that a user would be left without any device.
	ErrLastDevice = errors.New("it is the only device")
	// ErrHalf says that a reset has removed the record and could not remove the state.
	ErrHalf = errors.New("the record is removed, but its state is not")
	// ErrItself says that a device's own code was to remove it.
	ErrItself = errors.New("a device cannot be removed with its own code")
)

// rewrite saves next in place of account's record. The state learns of devices and recovery codes
// before the record has them, and forgets them after it no longer has them: a login never meets one
// of which it is not known what was used. added says what was used of devices and recovery codes
// that are new.
func (s Store) rewrite(account *factor.Account, next *record.Record, added Enrollment) error {
	st, old := &account.State.State, account.Record
	// What a crash left in the state without a device in the record goes now.
	st.Devices = onlyOf(old, st.Devices)
	for i, d := range added.Devices {
		if !has(old, d.ID) {
			st.Devices = append(st.Devices, state.Device{ID: d.ID, Counter: added.Counters[i]})
		}
	}
	if len(st.Devices) > state.MaxDevices {
		return fmt.Errorf("%s has %d devices already, and %d more do not fit beside them",
			old.Name, len(old.Devices), len(added.Devices))
	}
	newCodes := next.Recovery.ID != old.Recovery.ID
	if newCodes {
		if used := account.UsedCodes(); used != nil {
			st.Recovery = *used
		}
		st.Next = state.Recovery{Set: next.Recovery.ID, Used: added.Used}
	}
	if newCodes || len(added.Devices) > 0 {
		if err := factor.Commit(account.State); err != nil {
			return err
		}
	}
	saved := s.Records.Save(next)
	if saved != nil && !errors.Is(saved, safefile.ErrInForce) {
		return saved
	}
	// It is done. What the state cannot forget now it will at the next change.
	st.Devices = onlyOf(next, st.Devices)
	if newCodes {
		st.Recovery, st.Next = st.Next, state.Recovery{}
	}
	account.State.Commit()
	s.settle(account)
	return saved
}

// settle makes a state again that a full disk would keep from being written: one that was copied to
// where it is by something else than enroll, or made by an enroll that knew nothing of copying on
// write. The caller holds all locks.
func (s Store) settle(account *factor.Account) {
	if copied, err := s.States.CopiedOnWrite(account.Record.Name); err == nil && copied {
		s.States.Create(account.Record.Name, account.State.State)
	}
}

// Remove takes a device from u. The code of the device itself gives no right to that: the user must
// have shown that they can get in without it. The error matches ErrLastDevice, ErrItself, or
// fs.ErrNotExist if u has no such device.
func (s Store) Remove(p Proof, u record.User, labelOrID string) error {
	return s.change(p, u, func(next *record.Record) error {
		d := next.Find(labelOrID)
		switch {
		case d == nil:
			return fmt.Errorf("no device %q: %w", labelOrID, fs.ErrNotExist)
		case len(next.Devices) == 1:
			return fmt.Errorf("%q: %w", labelOrID, ErrLastDevice)
		case p.device != nil && d.ID == *p.device:
			return fmt.Errorf("%q: %w", labelOrID, ErrItself)
		}
		id := d.ID
		gone := func(d record.Device) bool { return d.ID == id }
		next.Devices = slices.DeleteFunc(slices.Clone(next.Devices), gone)
		return nil
	})
}

// SetRecovery replaces u's recovery codes. A crash at any instant leaves the old ones working or
// the new ones.
func (s Store) SetRecovery(p Proof, u record.User, r record.Recovery) error {
	return s.change(p, u, func(next *record.Record) error {
		next.Recovery = r
		return nil
	})
}

// onlyOf keeps of a state's devices those that r has.
func onlyOf(r *record.Record, used []state.Device) []state.Device {
	return slices.DeleteFunc(used, func(d state.Device) bool { return !has(r, d.ID) })
}

func has(r *record.Record, id state.DeviceID) bool {
	return slices.ContainsFunc(r.Devices, func(d record.Device) bool { return d.ID == id })
}
