package enrollment

import (
	"errors"

	"latchkey/pam/many"
	"latchkey/pam/opened"
	"latchkey/pam/owner"
	"latchkey/pam/record"
)

// indexed runs change, before and after which the index of uids is complete. Since the last time,
// something other than enroll may have added or removed records or entries of the index, and a
// killed enroll may have left temporary files: all change the time of a directory. Where neither
// has, nothing takes longer because there are many users. crowd says that change is one of many
// accounts. The caller holds the lock of all changes.
func (s Store) indexed(crowd bool, change func() error) error {
	if s.Owners == nil {
		if err := s.sweep(); err != nil {
			return err
		}
		return change()
	}
	before, err := s.Stamp()
	if err != nil {
		return err
	}
	if !s.Owners.Complete(before) {
		if err := s.index(); err != nil {
			return err
		}
	}
	done, err := s.Owners.Hold(owner.Hold{Complete: true, Many: crowd})
	if err != nil {
		return err
	}
	err = change()
	added := done()
	// If this fails, the next lookup reads all records.
	if after, failed := s.Stamp(); failed == nil && added == nil && !s.Owners.Complete(after) {
		s.Owners.Mark(after)
	}
	return err
}

func (s Store) sweep() error { return errors.Join(s.Records.Sweep(), s.States.Sweep()) }

// index notes the uid of every record and state, and removes from their directories what a killed
// enroll left.
func (s Store) index() error {
	if err := errors.Join(s.sweep(), s.Owners.Sweep()); err != nil {
		return err
	}
	stamp, err := s.Stamp()
	if err != nil {
		return err
	}
	all, err := s.Known()
	if err != nil {
		return err
	}
	if err := s.noteAll(all); err != nil {
		return err
	}
	// If this fails, because the disk is full, it is done again before the next change.
	_ = s.Owners.Mark(stamp)
	return nil
}

// noteAll notes the uids of users, side by side because they wait for the disk.
func (s Store) noteAll(names []string) error {
	k, done, err := opened.Once(s.Keyring)
	if err != nil {
		return err
	}
	defer done()
	added, err := s.Owners.Hold(owner.Hold{Many: true})
	if err != nil {
		return err
	}
	err = many.Each(names, many.Waiting, func(name string) error { return Store{k}.noteOf(name) })
	return errors.Join(err, added())
}

// noteOf notes the uid that name has according to the record or the state.
func (s Store) noteOf(name string) (err error) {
	for _, uid := range s.UIDs(name) {
		err = errors.Join(err, s.note(record.User{Name: name, UID: uid}))
	}
	return err
}

func (s Store) note(u record.User) error {
	if s.Owners == nil {
		return nil
	}
	return s.Owners.Add(u.UID, u.Name, func(other string) bool { return s.MayHave(other, u.UID) })
}
