package state

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

// Encode returns s as one slot of a file, with its zeros packed: most of a slot is room for what
// few users have.
func Encode(s State) ([]byte, error) {
	s.sequence = 1
	slot, err := s.encode()
	if err != nil {
		return nil, err
	}
	return pack(slot), nil
}

// Decode reads what Encode returned. The error matches ErrDamaged or ErrNewer.
func Decode(b []byte) (*State, error) {
	slot, ok := unpack(b)
	if !ok {
		return nil, ErrDamaged
	}
	s, err := decode(slot)
	if err == errChecksum {
		err = ErrDamaged
	}
	return s, err
}

// longestRun is how many zeros a pair of bytes stands for at most.
const longestRun = 255

// pack has each run of zeros as a zero and its length.
func pack(slot []byte) (packed []byte) {
	for i := 0; i < len(slot); {
		run := 0
		for run < longestRun && i+run < len(slot) && slot[i+run] == 0 {
			run++
		}
		if run == 0 {
			packed = append(packed, slot[i])
			i++
			continue
		}
		packed = append(packed, 0, byte(run))
		i += run
	}
	return packed
}

// unpack undoes pack, and reports whether the result is as long as a slot.
func unpack(packed []byte) (slot []byte, ok bool) {
	slot = make([]byte, 0, slotSize)
	for i := 0; i < len(packed) && len(slot) <= slotSize; i++ {
		if packed[i] != 0 {
			slot = append(slot, packed[i])
			continue
		}
		if i++; i == len(packed) || packed[i] == 0 {
			return nil, false
		}
		slot = append(slot, make([]byte, packed[i])...)
	}
	return slot, len(slot) == slotSize
}
