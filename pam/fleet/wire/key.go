package wire

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/hpke"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

// The algorithms of RFC 9180. They have no negotiation: another choice is another version.
var (
	kem  = hpke.DHKEM(ecdh.X25519())
	kdf  = hpke.HKDFSHA256()
	aead = hpke.AES256GCM()
)

// Text forms of public keys: a prefix and the raw key in base64url without padding.
const (
	fleetPrefix  = "hpke1"
	publicPrefix = "ed25519"
	keySize      = 32
)

// FleetKey seals questions: only the fleet's services can open them.
type FleetKey struct{ key hpke.PublicKey }

// ParseFleetKey reads the text form.
func ParseFleetKey(text string) (FleetKey, error) {
	raw, err := rawKey(text, fleetPrefix)
	if err != nil {
		return FleetKey{}, err
	}
	key, err := kem.NewPublicKey(raw)
	if err != nil {
		return FleetKey{}, errors.New("is no key that questions can be sealed with")
	}
	return FleetKey{key}, nil
}

// String is the text form: hpke1….
func (k FleetKey) String() string { return textKey(fleetPrefix, k.key.Bytes()) }

// PublicKey checks signatures: a host's, or the fleet's. The zero PublicKey checks none.
type PublicKey struct{ key ed25519.PublicKey }

// ParsePublicKey reads the text form.
func ParsePublicKey(text string) (PublicKey, error) {
	raw, err := rawKey(text, publicPrefix)
	return PublicKey{raw}, err
}

// String is the text form: ed25519….
func (k PublicKey) String() string { return textKey(publicPrefix, k.key) }

// Equal reports whether both are the same key.
func (k PublicKey) Equal(other PublicKey) bool { return bytes.Equal(k.key, other.key) }

func (k PublicKey) verifies(message, signature []byte) bool {
	return len(k.key) == ed25519.PublicKeySize && ed25519.Verify(k.key, message, signature)
}

func textKey(prefix string, raw []byte) string {
	return prefix + base64.RawURLEncoding.EncodeToString(raw)
}

// rawKey accepts one text for each key, so that texts can be compared. Its errors go behind the
// name of a setting.
func rawKey(text, prefix string) ([]byte, error) {
	body, ok := strings.CutPrefix(text, prefix)
	raw, err := base64.RawURLEncoding.DecodeString(body)
	if !ok || err != nil || len(raw) != keySize || textKey(prefix, raw) != text {
		return nil, errors.New("must be " + prefix + " and 43 letters, as latchkey-fleetd prints it")
	}
	return raw, nil
}

// SigningKey signs: a host's questions, or the fleet's answers.
type SigningKey struct{ key ed25519.PrivateKey }

// NewSigningKey makes a random key.
func NewSigningKey() SigningKey {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed)
	return SigningKey{ed25519.NewKeyFromSeed(seed)}
}

// SigningKeyFrom is the key with that seed of 32 bytes, such as one derived from the fleet's
// secret.
func SigningKeyFrom(seed [ed25519.SeedSize]byte) SigningKey {
	return SigningKey{ed25519.NewKeyFromSeed(seed[:])}
}

// Public is the key that checks the signatures.
func (k SigningKey) Public() PublicKey {
	return PublicKey{k.key.Public().(ed25519.PublicKey)}
}

// String hides the key from logs.
func (k SigningKey) String() string { return "a signing key" }

// GoString hides the key from %#v.
func (k SigningKey) GoString() string { return k.String() }

// hostKeyPrefix begins a host's key file.
const hostKeyPrefix = "latchkey-fleet-key-1 "

const checkSize = 4

// FormatHostKey is the content of a host's key file, /var/lib/latchkey/fleet.key.
func FormatHostKey(k SigningKey) []byte {
	seed := k.key.Seed()
	sum := sha256.Sum256(seed)
	text := base64.StdEncoding.EncodeToString(append(seed, sum[:checkSize]...))
	return []byte(hostKeyPrefix + text + "\n")
}

// ParseHostKey reads a host's key file. No error shows anything of it.
func ParseHostKey(text []byte) (SigningKey, error) {
	body, ok := bytes.CutPrefix(text, []byte(hostKeyPrefix))
	if !ok {
		return SigningKey{}, errors.New("not a key of a host of a fleet of version 1")
	}
	raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSuffix(body, []byte("\n"))))
	if err != nil || len(raw) != ed25519.SeedSize+checkSize {
		return SigningKey{}, errDamaged
	}
	k := SigningKey{ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])}
	if !bytes.Equal(FormatHostKey(k), text) {
		return SigningKey{}, errDamaged
	}
	return k, nil
}

var errDamaged = errors.New("the host's key is damaged")

// OpeningKey opens questions: the services' private half of a FleetKey.
type OpeningKey struct{ key hpke.PrivateKey }

// OpeningKeyFrom derives the key from at least 32 secret bytes, as RFC 9180 section 4.1 says.
func OpeningKeyFrom(secret []byte) (OpeningKey, error) {
	if len(secret) < keySize {
		return OpeningKey{}, errors.New("a secret of less than 32 bytes")
	}
	key, err := kem.DeriveKeyPair(secret)
	return OpeningKey{key}, err
}

// Public is the key that seals what this one opens.
func (k OpeningKey) Public() FleetKey { return FleetKey{k.key.PublicKey()} }

// String hides the key from logs.
func (k OpeningKey) String() string { return "an opening key" }

// GoString hides the key from %#v.
func (k OpeningKey) GoString() string { return k.String() }
