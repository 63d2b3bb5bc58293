package sshkey

import "encoding"

var (
	_ encoding.TextMarshaler   = Key{}
	_ encoding.TextUnmarshaler = (*Key)(nil)
)

// MarshalText implements encoding.TextMarshaler: a key is a line of a public key file, and the
// zero Key an empty one. Encoded keys are no text, which JSON would not leave as they are.
func (k Key) MarshalText() ([]byte, error) {
	if k == (Key{}) {
		return nil, nil
	}
	return []byte(k.String()), nil
}

// UnmarshalText implements encoding.TextUnmarshaler. The errors are those of Parse.
func (k *Key) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*k = Key{}
		return nil
	}
	*k, err = Parse(string(text))
	return err
}
