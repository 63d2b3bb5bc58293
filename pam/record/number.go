package record

// NumberID names a phone number among the host's counters: a keyed hash, so that their file
// reveals no number. It makes the host key if the host has none yet; the caller holds
// state.Store's Exclusive lock.
func (s Store) NumberID(number string) (id [8]byte, err error) {
	if err := s.EnsureKey(); err != nil {
		return id, err
	}
	k, err := loadKey(s.KeyPath)
	if err != nil {
		return id, err
	}
	copy(id[:], k.sum(numberText(number)))
	return id, nil
}

// numberText is what is hashed for a number; no record begins with it.
func numberText(number string) []byte { return []byte("phone number " + number) }
