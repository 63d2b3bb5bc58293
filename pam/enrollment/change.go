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

// Errors that callers distinguish.
var (
	// ErrEnrolled says that the user has a second factor already, so this is not a first
	// enrollment.
	ErrEnrolled = errors.New("a second factor is set up already")
	// ErrLastDevice says that the change would leave the user without any device.
	ErrLastDevice = errors.New("it is the only device")
	// ErrHalf says that a reset removed the record but could not remove the state.
	ErrHalf = errors.New("the record is removed, but its state is not")
	// ErrItself says that a code was to remove the device that made it.
	ErrItself = errors.New("a device cannot be removed with its own code")
)

// rewrite saves next in place of account's record. The state learns of devices and recovery codes
// before the record has them, and forgets them only after the record no longer has them, so a
// login never meets one whose use is unknown. added says how far new devices and recovery codes
// were used. A user who loses a device no longer trusts any computer.
func (s Store) rewrite(account *factor.Account, next *record.Record, added Enrollment) error {
	st, old := &account.State.State, account.Record
	// Entries that a crash left in the state without a device in the record are dropped now.
	st.Devices = onlyOf(old, st.Devices)
	for i, d := range added.Devices {
		if !has(old, d.ID) {
			st.Devices = append(st.Devices, added.device(i))
		}
	}
	if len(st.Devices) > state.MaxDevices {
		return fmt.Errorf("%s has %d devices already, and there is no room for %d more",
			old.Name, len(old.Devices), len(added.Devices))
	}
	newCodes := next.Recovery.ID != old.Recovery.ID
	if newCodes {
		if used := account.UsedCodes(); used != nil {
			st.Recovery = *used
		}
		st.Next = state.Recovery{Set: next.Recovery.ID, Used: added.Used}
	}
	distrusted := len(st.Trusts) > 0 && loses(old, next)
	if distrusted { // a thief of the device may have the computer, too
		st.Trusts = nil
	}
	if newCodes || len(added.Devices) > 0 || distrusted {
		if err := factor.Commit(account.State); err != nil {
			return err
		}
	}
	saved := s.Records.Save(next)
	if saved != nil && !errors.Is(saved, safefile.ErrInForce) {
		return saved
	}
	// The change is made. What the state cannot forget now it forgets at the next change.
	st.Devices = onlyOf(next, st.Devices)
	if newCodes {
		st.Recovery, st.Next = st.Next, state.Recovery{}
	}
	account.State.Commit()
	s.settle(account)
	return saved
}

// settle replaces a state file that could not be written on a full disk: something other than
// enroll copied it to its place, or an older enroll made it without regard to copying on write.
// The caller holds all locks.
func (s Store) settle(account *factor.Account) {
	if copied, err := s.States.CopiedOnWrite(account.Record.Name); err == nil && copied {
		s.States.Create(account.Record.Name, account.State.State)
	}
}

// Remove takes a device from u. A code of that device gives no right to do so: the user must have
// shown that they can get in without it. The error matches ErrLastDevice, ErrItself, or
// fs.ErrNotExist if u has no such device.
func (s Store) Remove(p Proof, u record.User, labelOrID string) error {
	return s.change(p, u, Enrollment{}, func(next *record.Record) error {
		d := next.Find(labelOrID)
		switch {
		case d == nil:
			return fmt.Errorf("no device %q: %w", labelOrID, fs.ErrNotExist)
		case len(next.Devices) == 1:
			return fmt.Errorf("%q: %w", d.Label, ErrLastDevice)
		case p.device != nil && d.ID == *p.device:
			return fmt.Errorf("%q: %w", d.Label, ErrItself)
		}
		id := d.ID
		gone := func(d record.Device) bool { return d.ID == id }
		next.Devices = slices.DeleteFunc(slices.Clone(next.Devices), gone)
		return nil
	})
}

// SetRecovery replaces u's recovery codes. After a crash at any instant either the old codes work
// or the new ones.
func (s Store) SetRecovery(p Proof, u record.User, r record.Recovery) error {
	return s.change(p, u, Enrollment{}, func(next *record.Record) error {
		next.Recovery = r
		return nil
	})
}

// onlyOf returns those of a state's devices that r has.
func onlyOf(r *record.Record, used []state.Device) []state.Device {
	return slices.DeleteFunc(used, func(d state.Device) bool { return !has(r, d.ID) })
}

// loses reports whether next is without a device that old has.
func loses(old, next *record.Record) bool {
	gone := func(d record.Device) bool { return !has(next, d.ID) }
	return slices.ContainsFunc(old.Devices, gone)
}

func has(r *record.Record, id state.DeviceID) bool {
	return slices.ContainsFunc(r.Devices, func(d record.Device) bool { return d.ID == id })
}
