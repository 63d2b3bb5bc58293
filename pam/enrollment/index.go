package enrollment

import "latchkey/pam/record"

// indexed runs change, before and after which the index of uids is complete. Since the last time,
// something other than enroll may have added or removed records. The caller holds the lock of all
// changes.
func (s Store) indexed(change func() error) error {
	if s.Owners == nil {
		return change()
	}
	before, err := s.Stamp()
	if err != nil {
		return err
	}
	current := s.Owners.Complete(before)
	if !current {
		if err := s.index(before); err != nil {
			return err
		}
	}
	done := s.Owners.Hold()
	err = change()
	done()
	after, stampErr := s.Stamp()
	if stampErr == nil && after != before {
		s.Owners.Mark(after) // if this fails, the next lookup reads all records
	}
	return err
}

// index notes the uid of every record and state of directories with this stamp.
func (s Store) index(stamp string) error {
	all, err := s.Known()
	if err != nil {
		return err
	}
	for _, name := range all {
		for _, uid := range s.UIDs(name) {
			if err := s.note(record.User{Name: name, UID: uid}); err != nil {
				return err
			}
		}
	}
	return s.Owners.Mark(stamp)
}

func (s Store) note(u record.User) error {
	if s.Owners == nil {
		return nil
	}
	return s.Owners.Add(u.UID, u.Name, func(other string) bool { return s.MayHave(other, u.UID) })
}
