package record

// TrustTag is a keyed hash of what a computer is trusted by. The host key is in it, so that it means
// nothing on another host.
func (s Store) TrustTag(text string) (tag [8]byte, err error) {
	k, err := loadKey(s.KeyPath)
	if err != nil {
		return tag, err
	}
	copy(tag[:], k.sum([]byte("trusted computer "+text))) // what no record begins with
	return tag, nil
}
