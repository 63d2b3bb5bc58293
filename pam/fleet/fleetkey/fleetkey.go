// Package fleetkey is the keys by which a host and the services of a fleet know each other, and
// how they are written down.
package fleetkey

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

// Sealing is the key that seals questions: only the fleet's services can open them.
type Sealing struct{ key hpke.PublicKey }

// ParseSealing reads the text form.
func ParseSealing(text string) (Sealing, error) {
	raw, err := rawKey(text, fleetPrefix)
	if err != nil {
		return Sealing{}, err
	}
	key, err := kem.NewPublicKey(raw)
	if err != nil {
		return Sealing{}, errors.New("is not a key that questions can be sealed with")
	}
	return Sealing{key}, nil
}

// String is the text form: hpke1….
func (k Sealing) String() string { return textKey(fleetPrefix, k.key.Bytes()) }

// Sender seals one message of the kind that info names. What enc holds goes with it.
func (k Sealing) Sender(info string) (enc []byte, s *hpke.Sender, err error) {
	return hpke.NewSender(k.key, kdf, aead, []byte(info))
}

// Public is a key that checks signatures: a host's, or the fleet's. The zero Public accepts none.
type Public struct{ key ed25519.PublicKey }

// ParsePublic reads the text form.
func ParsePublic(text string) (Public, error) {
	raw, err := rawKey(text, publicPrefix)
	return Public{raw}, err
}

// String is the text form: ed25519….
func (k Public) String() string { return textKey(publicPrefix, k.key) }

// Equal reports whether both are the same key.
func (k Public) Equal(other Public) bool { return bytes.Equal(k.key, other.key) }

// Verifies reports whether the key's private half signed the message.
func (k Public) Verifies(message, signature []byte) bool {
	return len(k.key) == ed25519.PublicKeySize && ed25519.Verify(k.key, message, signature)
}

// Prepare makes the next Verifies faster: in a new process, the first check of any signature takes
// most of its time for tables that all others use.
func (k Public) Prepare() { k.Verifies(nil, make([]byte, ed25519.SignatureSize)) }

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

// Signing is a key that signs: a host's questions, or the fleet's answers.
type Signing struct{ key ed25519.PrivateKey }

// NewSigning makes a random key.
func NewSigning() Signing {
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed)
	return Signing{ed25519.NewKeyFromSeed(seed)}
}

// SigningFrom is the key with that seed of 32 bytes, such as one derived from the fleet's
// secret.
func SigningFrom(seed [ed25519.SeedSize]byte) Signing {
	return Signing{ed25519.NewKeyFromSeed(seed[:])}
}

// Public is the key that checks the signatures.
func (k Signing) Public() Public {
	return Public{k.key.Public().(ed25519.PublicKey)}
}

// Sign signs a message.
func (k Signing) Sign(message []byte) []byte { return ed25519.Sign(k.key, message) }

// String hides the key from logs.
func (k Signing) String() string { return "a signing key" }

// GoString hides the key from %#v.
func (k Signing) GoString() string { return k.String() }

// hostKeyPrefix begins a host's key file.
const hostKeyPrefix = "latchkey-fleet-key-1 "

const checkSize = 4

// FormatHost is the content of a host's key file, /var/lib/latchkey/fleet.key.
func FormatHost(k Signing) []byte {
	seed := k.key.Seed()
	sum := sha256.Sum256(seed)
	text := base64.StdEncoding.EncodeToString(append(seed, sum[:checkSize]...))
	return []byte(hostKeyPrefix + text + "\n")
}

// ParseHost reads a host's key file. No error shows anything of it.
func ParseHost(text []byte) (Signing, error) {
	body, ok := bytes.CutPrefix(text, []byte(hostKeyPrefix))
	if !ok {
		return Signing{}, errors.New("not a key of a host of a fleet of version 1")
	}
	raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSuffix(body, []byte("\n"))))
	if err != nil || len(raw) != ed25519.SeedSize+checkSize {
		return Signing{}, errDamaged
	}
	k := Signing{ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])}
	if !bytes.Equal(FormatHost(k), text) {
		return Signing{}, errDamaged
	}
	return k, nil
}

var errDamaged = errors.New("the host's key is damaged")

// Opening is the key that opens questions: the services' private half of Sealing.
type Opening struct{ key hpke.PrivateKey }

// OpeningFrom derives the key from at least 32 secret bytes, as RFC 9180 section 4.1 says.
func OpeningFrom(secret []byte) (Opening, error) {
	if len(secret) < keySize {
		return Opening{}, errors.New("a secret of less than 32 bytes")
	}
	key, err := kem.DeriveKeyPair(secret)
	return Opening{key}, err
}

// Public is the key that seals what this one opens.
func (k Opening) Public() Sealing { return Sealing{k.key.PublicKey()} }

// Recipient opens the message that was sealed with enc, of the kind that info names.
func (k Opening) Recipient(enc []byte, info string) (*hpke.Recipient, error) {
	return hpke.NewRecipient(enc, k.key, kdf, aead, []byte(info))
}

// String hides the key from logs.
func (k Opening) String() string { return "an opening key" }

// GoString hides the key from %#v.
func (k Opening) GoString() string { return k.String() }
