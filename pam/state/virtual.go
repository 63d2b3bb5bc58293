package state

import "slices"

// A state in a database is a value and no file: whoever keeps it reads it, has Virtual stand for
// the file, and writes what was committed, all at once or not at all.

// Virtual is a file of a state that is kept elsewhere: Commit passes the state on to stage, and
// nothing is locked.
func Virtual(st State, stage func(State) error) *File { return &File{State: st, stage: stage} }

// VirtualLock is a lock of a state that is kept elsewhere, as Virtual is of a file. With an error,
// the state cannot be read.
func VirtualLock(st State, err error) *Lock {
	return &Lock{
		read:  func() (*File, error) { return &File{State: st}, err },
		close: func() error { return nil },
	}
}

// Encode returns s as one slot of a file, without the zeros between its fields and its checksum.
func Encode(s State) ([]byte, error) {
	s.sequence = 1
	slot, err := s.encode()
	if err != nil {
		return nil, err
	}
	end := sumAt
	for end > fieldsAt && slot[end-1] == 0 {
		end--
	}
	return slices.Concat(slot[:end], slot[sumAt:]), nil
}

// Decode reads what Encode returned. The error matches ErrDamaged or ErrNewer.
func Decode(b []byte) (*State, error) {
	const sum = slotSize - sumAt
	if len(b) < fieldsAt+sum || len(b) > slotSize {
		return nil, ErrDamaged
	}
	slot := make([]byte, slotSize)
	copy(slot, b[:len(b)-sum])
	copy(slot[sumAt:], b[len(b)-sum:])
	s, err := decode(slot)
	if err == errChecksum {
		err = ErrDamaged
	}
	return s, err
}
