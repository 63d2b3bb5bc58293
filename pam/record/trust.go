package record

// TrustTag returns a keyed hash of the properties by which a computer is trusted. It includes the
// host key, so that it means nothing on another host.
func (s Store) TrustTag(text string) (tag [8]byte, err error) {
	k, err := loadKey(s.KeyPath)
	if err != nil {
		return tag, err
	}
	copy(tag[:], k.sum(trustText(text)))
	return tag, nil
}

// trustText is what is hashed for a tag; no record begins with it.
func trustText(text string) []byte { return []byte("trusted computer " + text) }
