package factor

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Errors of Remove and Reset that callers tell apart.
var (
	// ErrLastDevice says that a user would be left without any device.
	ErrLastDevice = errors.New("it is the only device")
	// ErrHalf says that a reset has removed the record and could not remove the state.
	ErrHalf = errors.New("the record is removed, but its state is not")
	// ErrItself says that a device's own code was to remove it.
	ErrItself = errors.New("a device cannot be removed with its own code")
)

// Enrollment is all that a user has: devices, and for each the moving factor up to which it was used (a token: the next
// counter), in the same order; recovery codes, if any, and a bit for each of them that is used, the first being the lowest.
type Enrollment struct {
	Devices  []record.Device
	Counters []uint64
	Recovery record.Recovery
	Used     uint64
}

// Add gives name one more device, whose moving factor was used up to counter, and enrolls name if this is the first. A
// crash at any instant leaves the old enrollment or the new one.
func (k Keyring) Add(u record.User, d record.Device, counter uint64) error {
	return k.Exclusive(func() error {
		if d.Type == method.Phone {
			if err := k.EnsureHost(); err != nil {
				return err
			}
		}
		first := Enrollment{Devices: []record.Device{d}, Counters: []uint64{counter}}
		return k.enrollOr(u, first, func(account *Account) error {
			next := *account.Record
			if next.Find(d.Label) != nil {
				return fmt.Errorf("there is a device %q already", d.Label)
			}
			if twin := twin(&next, &d); twin != nil {
				what := map[bool]string{false: "secret", true: "number"}[d.Type == method.Phone]
				return fmt.Errorf("the device %q has this %s already", twin.Label, what)
			}
			next.Devices = append(slices.Clone(next.Devices), d)
			return k.rewrite(account, &next, first)
		})
	})
}

// Enroll gives name all of e at once. Who has a record already keeps it (the error then matches ErrEnrolled), unless replace says
// otherwise: then, at any instant, all of the old one works or all of the new one. Failures and locks stay.
func (k Keyring) Enroll(u record.User, e Enrollment, replace bool) error {
	return k.Exclusive(func() error {
		return k.EnrollLocked(u, e, func(*Account) (Enrollment, error) {
			if !replace {
				return Enrollment{}, ErrEnrolled
			}
			return e, nil
		})
	})
}

// EnrollLocked is Enroll for a caller who enrolls many users and holds Exclusive meanwhile. Once the host key is there, and for
// phones the host's file (EnsureHost), it may enroll several users at the same time. Who has a record already gets what
// replace makes of it, or keeps it if that is an error. The account is locked: no login uses anything up between the two.
func (k Keyring) EnrollLocked(u record.User, e Enrollment, replace func(old *Account) (Enrollment, error)) error {
	if slices.ContainsFunc(e.Devices, func(d record.Device) bool { return d.Type == method.Phone }) {
		if err := k.EnsureHost(); err != nil {
			return err
		}
	}
	return k.enrollOr(u, e, func(account *Account) error {
		e, err := replace(account)
		if err != nil {
			return err
		}
		next := *account.Record
		next.Devices, next.Recovery = e.Devices, e.Recovery
		err = k.rewrite(account, &next, e)
		if err != nil && !errors.Is(err, safefile.ErrInForce) {
			return err
		}
		return errors.Join(err, account.endBypass())
	})
}

// endBypass takes back a code that root gave out: whoever it was for has something else now.
func (a *Account) endBypass() error {
	if a.State.Bypass == (state.Grant{}) {
		return nil
	}
	a.State.Bypass = state.Grant{}
	if err := a.commit(); err != nil {
		return fmt.Errorf("the bypass code could not be revoked: %w; %w", err, safefile.ErrInForce)
	}
	return nil
}

// enrollOr enrolls a user who has no record, and has replace decide about one who has. The caller holds Exclusive.
func (k Keyring) enrollOr(u record.User, e Enrollment, replace func(*Account) error) error {
	account, err := k.Open(u)
	if errors.Is(err, ErrUnenrolled) {
		if err := k.still(nil); err != nil {
			return err
		}
		return k.enroll(u, e)
	}
	if err != nil {
		return err
	}
	defer account.Close()
	if err := k.still(account.Record); err != nil {
		return err
	}
	return replace(account)
}

// change rewrites name's record as edit says.
func (k Keyring) change(u record.User, edit func(next *record.Record) error) error {
	return k.Exclusive(func() error {
		account, err := k.Open(u)
		if err != nil {
			return err
		}
		defer account.Close()
		if err := k.still(account.Record); err != nil {
			return err
		}
		next := *account.Record
		if err := edit(&next); err != nil {
			return err
		}
		return k.rewrite(account, &next, Enrollment{})
	})
}

// rewrite saves next in place of account's record. The state learns of devices and recovery codes before the record has them,
// and forgets them after it has them no more: login never meets one of which nobody knows what was used. added says what was
// used of devices and recovery codes that are new.
func (k Keyring) rewrite(account *Account, next *record.Record, added Enrollment) error {
	st, old := &account.State.State, account.Record
	// What a crash left in the state without a device in the record goes now.
	st.Devices = slices.DeleteFunc(st.Devices, func(used state.Device) bool { return !has(old, used.ID) })
	for i, d := range added.Devices {
		if !has(old, d.ID) {
			st.Devices = append(st.Devices, state.Device{ID: d.ID, Counter: added.Counters[i]})
		}
	}
	if len(st.Devices) > state.MaxDevices {
		return fmt.Errorf("%s has %d devices already, and %d more do not fit beside them", old.Name, len(old.Devices), len(added.Devices))
	}
	newCodes := next.Recovery.ID != old.Recovery.ID
	if newCodes {
		if used := account.usedCodes(); used != nil {
			st.Recovery = *used
		}
		st.Next = state.Recovery{Set: next.Recovery.ID, Used: added.Used}
	}
	if newCodes || len(added.Devices) > 0 {
		if err := account.commit(); err != nil {
			return err
		}
	}
	saved := k.Records.Save(next)
	if saved != nil && !errors.Is(saved, safefile.ErrInForce) {
		return saved
	}
	// It is done. What the state cannot forget now it will at the next change.
	st.Devices = slices.DeleteFunc(st.Devices, func(used state.Device) bool { return !has(next, used.ID) })
	if newCodes {
		st.Recovery, st.Next = st.Next, state.Recovery{}
	}
	account.commit()
	k.settle(account)
	return saved
}

// settle makes a state anew that a full disk would keep from being written: one that was copied to where it is by something else
// than enroll, or made by an enroll that knew nothing of copying on write. The caller holds all locks.
func (k Keyring) settle(account *Account) {
	if copied, err := k.States.CopiedOnWrite(account.Record.Name); err == nil && copied {
		k.States.Create(account.Record.Name, account.State.State)
	}
}

func (k Keyring) still(r *record.Record) error {
	if k.Still == nil {
		return nil
	}
	return k.Still(r)
}

// EnsureHost makes the file that counts for the whole host, if there is none.
func (k Keyring) EnsureHost() error {
	lock, err := k.Host.Lock(hostName)
	if errors.Is(err, fs.ErrNotExist) {
		return k.Host.Create(hostName, state.State{})
	}
	lock.Close()
	return err
}

// enroll makes the state, then the record, of a user who has no record, and then says in the state that the two belong together. A
// state that is there is left over from a reset or an enrollment that was interrupted, or holds the user's ticket.
func (k Keyring) enroll(u record.User, e Enrollment) error {
	old, err := k.States.Lock(u.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer old.Close()
	st := state.State{UID: u.UID, Recovery: state.Recovery{Set: e.Recovery.ID, Used: e.Used}}
	for i, d := range e.Devices {
		st.Devices = append(st.Devices, state.Device{ID: d.ID, Counter: e.Counters[i]})
	}
	left, err := old.Read()
	if err == nil {
		// Of the sends, one may be of the code that proved the number. The ticket is used up once the record is there.
		st.Sends, st.Ticket = left.Sends, left.Ticket
		st.Failures, st.Locked, st.Refused = left.Failures, left.Locked, left.Refused
	}
	if k.Ticket != nil && (err != nil || left.Ticket != *k.Ticket) {
		return ErrTicket
	}
	if err := k.note(u); err != nil {
		return err
	}
	if err := k.States.Create(u.Name, st); err != nil {
		return err
	}
	r := &record.Record{Name: u.Name, UID: u.UID, Devices: e.Devices, Recovery: e.Recovery}
	rand.Read(r.Enrollment[:])
	saved := k.Records.Save(r)
	if saved != nil && !errors.Is(saved, safefile.ErrInForce) {
		k.putBack(u.Name, left)
		return saved
	}
	k.finish(u.Name, r)
	return saved
}

// putBack undoes what enroll did to the state. If it cannot, that fails nothing: a state without an enrollment id is nobody's.
func (k Keyring) putBack(name string, left *state.State) {
	if left == nil {
		k.States.Remove(name)
	} else {
		k.States.Create(name, *left)
	}
}

// finish gives the state of a user who has a record now its enrollment id, from which on a record that is missing is a lost one,
// and takes the ticket out, which opens nothing any more. That it cannot be saved now fails nothing: the next login does it.
func (k Keyring) finish(name string, r *record.Record) {
	if st, err := k.States.Open(name); err == nil {
		defer st.Close()
		st.Enrollment, st.Ticket = r.Enrollment, state.Grant{}
		st.Commit()
	}
}

// Remove takes a device from name. The error matches ErrLastDevice, ErrItself, or fs.ErrNotExist if name has no such device.
func (k Keyring) Remove(u record.User, labelOrID string) error {
	return k.change(u, func(next *record.Record) error {
		d := next.Find(labelOrID)
		switch {
		case d == nil:
			return fmt.Errorf("no device %q: %w", labelOrID, fs.ErrNotExist)
		case len(next.Devices) == 1:
			return fmt.Errorf("%q: %w", labelOrID, ErrLastDevice)
		case d.ID == k.By:
			return fmt.Errorf("%q: %w", labelOrID, ErrItself)
		}
		id := d.ID
		next.Devices = slices.DeleteFunc(slices.Clone(next.Devices), func(d record.Device) bool { return d.ID == id })
		return nil
	})
}

// Reset removes everything name has, readable or not, in the order that is the reverse of enroll's: a crash at any instant leaves the
// old enrollment or none. The error matches fs.ErrNotExist if there was nothing,
// and safefile.ErrInForce or ErrHalf if something was removed all the same.
func (k Keyring) Reset(name string) error {
	if err := record.CheckName(name); err != nil {
		return err
	}
	return k.Exclusive(func() error {
		defer k.release(name).Close()
		recordErr := k.Records.Remove(name)
		if !gone(recordErr) {
			return recordErr
		}
		stateErr := k.States.Remove(name)
		if !gone(stateErr) && errors.Is(recordErr, fs.ErrNotExist) {
			return stateErr
		}
		if !gone(stateErr) {
			return fmt.Errorf("%w: %w", ErrHalf, stateErr)
		}
		return resetError(recordErr, stateErr)
	})
}

// release locks name's state and, where it can be, takes the enrollment id out of it, so that the record may go. A login under way
// keeps its state until its verdict. One that hangs with it must not stop a reset, though: that goes on without.
func (k Keyring) release(name string) io.Closer {
	if st, err := k.States.Open(name); err == nil {
		st.Enrollment = state.EnrollmentID{}
		st.Commit()
		return st
	}
	lock, _ := k.States.Lock(name)
	return lock
}

// gone reports whether a file that was to be removed is not there any longer.
func gone(err error) bool {
	return err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, safefile.ErrInForce)
}

// resetError is that of a reset after which there is neither record nor state.
func resetError(recordErr, stateErr error) error {
	if errors.Is(recordErr, safefile.ErrInForce) {
		return recordErr
	}
	if errors.Is(stateErr, fs.ErrNotExist) && recordErr == nil {
		return nil
	}
	return stateErr
}

// Advance moves a device's moving factor forward to counter, if something else has used it up to there; never back, so that no code is
// made good again. It tells whether it moved.
func (a *Account) Advance(id state.DeviceID, counter uint64) (bool, error) {
	used := a.State.Device(id)
	if used == nil || used.Counter >= counter {
		return false, nil
	}
	used.Counter, used.Resync = counter, 0
	return true, a.commitOrUndo()
}

// Unlock ends a lock and forgets the failures that led to it. It tells whether there was a lock.
func (k Keyring) Unlock(u record.User, limits Limits, now time.Time) (bool, error) {
	account, err := k.Open(u)
	if err != nil {
		return false, err
	}
	defer account.Close()
	st := &account.State.State
	was := limits.Lockout(st, now).Locked()
	st.Locked, st.Failures, st.Refused = time.Time{}, nil, state.Refused{}
	return was, account.commitOrUndo()
}

// twin is the device of r that makes the same codes as d, or has the same number: what one has used up the other would accept.
func twin(r *record.Record, d *record.Device) *record.Device {
	i := slices.IndexFunc(r.Devices, func(old record.Device) bool { return old.Type == d.Type && bytes.Equal(old.Secret, d.Secret) })
	if i < 0 {
		return nil
	}
	return &r.Devices[i]
}

func has(r *record.Record, id state.DeviceID) bool {
	return slices.ContainsFunc(r.Devices, func(d record.Device) bool { return d.ID == id })
}

// NewTOTP makes a TOTP device with a random id.
func NewTOTP(label string, secret []byte, algorithm string, digits int, period time.Duration, now time.Time) record.Device {
	d := record.Device{
		Type: method.TOTP, Label: label, Created: now, Secret: secret,
		Algorithm: algorithm, Digits: digits, Period: period,
	}
	rand.Read(d.ID[:])
	return d
}

// NewHOTP makes a token with a counter and a random id.
func NewHOTP(label string, secret []byte, algorithm string, digits int, now time.Time) record.Device {
	d := NewTOTP(label, secret, algorithm, digits, 0, now)
	d.Type = method.HOTP
	return d
}

// NewPhone makes a phone with a random id. The number is E.164.
func NewPhone(label, number string, now time.Time) record.Device {
	d := record.Device{Type: method.Phone, Label: label, Created: now, Secret: []byte(number)}
	rand.Read(d.ID[:])
	return d
}

// NewSecret makes a random secret as long as the hash of algorithm, as RFC 6238 section 5.1 recommends.
func NewSecret(algorithm string) []byte {
	sizes := map[string]int{"SHA256": 32, "SHA512": 64}
	secret := make([]byte, max(20, sizes[algorithm]))
	rand.Read(secret)
	return secret
}
