package factor

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"latchkey/pam/record"
	"latchkey/pam/state"
)

// ErrLastDevice says that a user would be left without any device.
var ErrLastDevice = errors.New("it is the only device")

// Add gives name one more device, whose moving factor was used up to counter, and enrolls name if this is the first. A
// crash at any instant leaves the old enrollment or the new one: the state learns of a device before the record does, so
// that login never meets a device whose used codes nobody knows.
func (k Keyring) Add(name string, uid uint32, d record.Device, counter uint64) error {
	return k.States.Exclusive(func() error {
		if d.Type == record.Phone {
			if err := k.EnsureHost(); err != nil {
				return err
			}
		}
		account, err := k.Open(name, uid)
		if errors.Is(err, ErrUnenrolled) {
			if err := k.still(nil); err != nil {
				return err
			}
			return k.enroll(name, uid, d, counter)
		}
		if err != nil {
			return err
		}
		defer account.Close()
		r := account.Record
		if err := k.still(r); err != nil {
			return err
		}
		if r.Find(d.Label) != nil {
			return fmt.Errorf("there is a device %q already", d.Label)
		}
		if len(r.Devices) >= state.MaxDevices {
			return fmt.Errorf("%s has %d devices already, and more do not fit", name, state.MaxDevices)
		}
		st := &account.State.State
		// Devices that a crash left in the state without one in the record go now.
		st.Devices = slices.DeleteFunc(st.Devices, func(used state.Device) bool { return !has(r, used.ID) })
		st.Devices = append(st.Devices, state.Device{ID: d.ID, Counter: counter})
		r.Devices = append(r.Devices, d)
		if err := account.commit(); err != nil {
			return err
		}
		return k.Records.Save(r)
	})
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

// enroll makes the state and then the record of a user who has no record. A state that is there is left over from a reset
// that was interrupted, or from an enrollment.
func (k Keyring) enroll(name string, uid uint32, d record.Device, counter uint64) error {
	old, err := k.States.Lock(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer old.Close()
	st := state.State{UID: uid, Devices: []state.Device{{ID: d.ID, Counter: counter}}}
	if left, err := old.Read(); err == nil {
		st.Sends = left.Sends // the code that proved the number, for one
	}
	rand.Read(st.Enrollment[:])
	if err := k.States.Create(name, st); err != nil {
		return err
	}
	return k.Records.Save(&record.Record{Name: name, UID: uid, Enrollment: st.Enrollment, Devices: []record.Device{d}})
}

// Remove takes a device from name: from the record first, so that no login can use it once its used codes are forgotten.
// The error matches ErrLastDevice, or fs.ErrNotExist if name has no such device.
func (k Keyring) Remove(name string, uid uint32, labelOrID string) error {
	return k.States.Exclusive(func() error {
		account, err := k.Open(name, uid)
		if err != nil {
			return err
		}
		defer account.Close()
		if err := k.still(account.Record); err != nil {
			return err
		}
		d := account.Record.Find(labelOrID)
		if d == nil {
			return fmt.Errorf("no device %q: %w", labelOrID, fs.ErrNotExist)
		}
		if len(account.Record.Devices) == 1 {
			return fmt.Errorf("%q: %w", labelOrID, ErrLastDevice)
		}
		id := d.ID
		account.Record.Devices = slices.DeleteFunc(account.Record.Devices, func(d record.Device) bool { return d.ID == id })
		if err := k.Records.Save(account.Record); err != nil {
			return err
		}
		// The device is gone. If the state cannot forget it now it will when the next one is added.
		st := &account.State.State
		st.Devices = slices.DeleteFunc(st.Devices, func(used state.Device) bool { return used.ID == id })
		account.commit()
		return nil
	})
}

// Reset removes everything name has, readable or not: the record first, since a record without state locks its user
// out. The error matches fs.ErrNotExist if there was nothing.
func (k Keyring) Reset(name string) error {
	if err := record.CheckName(name); err != nil {
		return err
	}
	return k.States.Exclusive(func() error {
		// A login under way keeps its state until its verdict. One that hangs with it must not stop a reset, though:
		// once the record is gone that state is nothing any more.
		old, _ := k.States.Lock(name)
		defer old.Close()
		recordErr := k.Records.Remove(name)
		if recordErr != nil && !errors.Is(recordErr, fs.ErrNotExist) {
			return recordErr
		}
		stateErr := k.States.Remove(name)
		if stateErr != nil && !errors.Is(stateErr, fs.ErrNotExist) {
			return stateErr
		}
		if recordErr != nil && stateErr != nil {
			return recordErr
		}
		return nil
	})
}

// Unlock ends a lock and forgets the failures that led to it. It tells whether there was a lock.
func (k Keyring) Unlock(name string, uid uint32, limits Limits, now time.Time) (bool, error) {
	account, err := k.Open(name, uid)
	if err != nil {
		return false, err
	}
	defer account.Close()
	st := &account.State.State
	was := !limits.LockedUntil(st, now).IsZero()
	st.Locked, st.Failures = time.Time{}, nil
	return was, account.commit()
}

func has(r *record.Record, id state.DeviceID) bool {
	return slices.ContainsFunc(r.Devices, func(d record.Device) bool { return d.ID == id })
}

// NewTOTP makes a TOTP device with a random id.
func NewTOTP(label string, secret []byte, algorithm string, digits int, period time.Duration, now time.Time) record.Device {
	d := record.Device{
		Type: record.TOTP, Label: label, Created: now, Secret: secret,
		Algorithm: algorithm, Digits: digits, Period: period,
	}
	rand.Read(d.ID[:])
	return d
}

// NewHOTP makes a token with a counter and a random id.
func NewHOTP(label string, secret []byte, algorithm string, digits int, now time.Time) record.Device {
	d := NewTOTP(label, secret, algorithm, digits, 0, now)
	d.Type = record.HOTP
	return d
}

// NewPhone makes a phone with a random id. The number is E.164.
func NewPhone(label, number string, now time.Time) record.Device {
	d := record.Device{Type: record.Phone, Label: label, Created: now, Secret: []byte(number)}
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
