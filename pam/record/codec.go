package record

import "errors"

// Codec writes and reads records that are not kept in files of this host. The zero Codec does
// neither.
type Codec struct{ key *key }

// errNoCodec is of a Codec without a key.
var errNoCodec = errors.New("there is no key for records")

// NewCodec returns the codec of a secret of 32 random bytes, which stands for the host key.
func NewCodec(secret []byte) (Codec, error) {
	if len(secret) != keySize {
		return Codec{}, errNoCodec
	}
	k, err := deriveKey(secret)
	return Codec{k}, err
}

// Encode returns r as FORMAT.md has records.
func (c Codec) Encode(r *Record) ([]byte, error) {
	if c.key == nil {
		return nil, errNoCodec
	}
	return c.key.encode(r)
}

// Decode reads what Encode returned. Whose record it is, the caller checks.
func (c Codec) Decode(file []byte) (*Record, error) {
	if c.key == nil {
		return nil, errNoCodec
	}
	return c.key.decode(file)
}

// NumberID is Store's, with this key.
func (c Codec) NumberID(number string) (id [8]byte, err error) {
	if c.key == nil {
		return id, errNoCodec
	}
	copy(id[:], c.key.sum(numberText(number)))
	return id, nil
}

// TrustTag is Store's, with this key.
func (c Codec) TrustTag(text string) (tag [8]byte, err error) {
	if c.key == nil {
		return tag, errNoCodec
	}
	copy(tag[:], c.key.sum(trustText(text)))
	return tag, nil
}
