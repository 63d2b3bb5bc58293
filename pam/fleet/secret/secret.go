// Package secret is the one secret of a fleet, and the keys that are derived from it.
//
// Every service of the fleet has the same secret, in a file that only it can read. Neither hosts
// nor etcd ever see it: what stands in etcd is sealed with keys of this package.
package secret

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"

	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
)

// Secret is what all keys are derived from. The zero Secret derives none.
type Secret struct{ root []byte }

const (
	prefix = "latchkey-fleetd-key-1 "
	size   = 32
	check  = 4
)

// New makes a random secret.
func New() Secret {
	s := Secret{make([]byte, size)}
	rand.Read(s.root)
	return s
}

// Load reads the secret from the file at path, which no one else may be able to read.
func Load(path string) (Secret, error) {
	text, err := safefile.ReadFile(path, safefile.Private, 256)
	if err != nil {
		return Secret{}, err
	}
	return Parse(text)
}

// Format is the text of the file.
func (s Secret) Format() []byte {
	sum := sha256.Sum256(s.root)
	text := base64.StdEncoding.EncodeToString(append(bytes.Clone(s.root), sum[:check]...))
	return []byte(prefix + text + "\n")
}

// Parse reads the text of the file. No error shows anything of it.
func Parse(text []byte) (Secret, error) {
	body, ok := bytes.CutPrefix(text, []byte(prefix))
	if !ok {
		return Secret{}, errors.New("not the secret of a fleet of version 1")
	}
	raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSuffix(body, []byte("\n"))))
	if err != nil || len(raw) != size+check {
		return Secret{}, errDamaged
	}
	s := Secret{raw[:size]}
	if !bytes.Equal(s.Format(), text) {
		return Secret{}, errDamaged
	}
	return s, nil
}

var errDamaged = errors.New("the fleet's secret is damaged")

// Derive is the key of 32 bytes for a purpose.
func (s Secret) Derive(purpose string) ([]byte, error) {
	if len(s.root) != size {
		return nil, errors.New("there is no secret of a fleet")
	}
	return hkdf.Key(sha256.New, s.root, nil, "latchkey fleet "+purpose+" 1", size)
}

// Opening is the key that opens questions.
func (s Secret) Opening() (fleetkey.Opening, error) {
	key, err := s.Derive("question")
	if err != nil {
		return fleetkey.Opening{}, err
	}
	return fleetkey.OpeningFrom(key)
}

// Records is the codec of the fleet's records.
func (s Secret) Records() (record.Codec, error) {
	key, err := s.Derive("records")
	if err != nil {
		return record.Codec{}, err
	}
	return record.NewCodec(key)
}

// String hides the secret from logs.
func (s Secret) String() string { return "the secret of a fleet" }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }
