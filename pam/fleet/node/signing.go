package node

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"

	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/store"
)

// Keys are what the fleet signs answers with, as it stands in etcd, so that a new key reaches all
// services at once.
type Keys struct {
	Current []byte `json:"current"`        // seed of 32 bytes
	Next    []byte `json:"next,omitempty"` // hosts are being told of it
}

// NewSeed makes a random key.
func NewSeed() []byte {
	seed := make([]byte, 32)
	rand.Read(seed)
	return seed
}

// Signing is the current key.
func (k Keys) Signing() (fleetkey.Signing, error) { return keyOf(k.Current) }

// Public has the public halves, which hosts have as verify_key: the current one first.
func (k Keys) Public() (all []fleetkey.Public, err error) {
	for _, seed := range [][]byte{k.Current, k.Next} {
		if len(seed) == 0 {
			continue
		}
		key, err := keyOf(seed)
		if err != nil {
			return nil, err
		}
		all = append(all, key.Public())
	}
	return all, nil
}

func keyOf(seed []byte) (fleetkey.Signing, error) {
	if len(seed) != 32 {
		return fleetkey.Signing{}, fmt.Errorf("a signing key of %d bytes", len(seed))
	}
	return fleetkey.SigningFrom([32]byte(seed)), nil
}

// signing is what this service knows of the keys. It has a copy on its disk, because it must sign
// that etcd cannot be reached.
type signing struct {
	text []byte
	key  fleetkey.Signing
	set  bool
}

const signingFile = "signing"

func readSigning(dir string, s secret.Secret) (signing, error) {
	sealed, err := readIn(dir, signingFile, maxMemory)
	if sealed == nil || err != nil {
		return signing{}, err
	}
	with, err := sealWith(s)
	if err != nil {
		return signing{}, err
	}
	if len(sealed) < chacha20poly1305.NonceSizeX {
		return signing{}, nil
	}
	nonce, rest := sealed[:chacha20poly1305.NonceSizeX], sealed[chacha20poly1305.NonceSizeX:]
	text, err := with.Open(nil, nonce, rest, nil)
	if err != nil { // of another secret: etcd has the right one
		return signing{}, nil
	}
	return parseSigning(text)
}

func parseSigning(text []byte) (s signing, err error) {
	var k Keys
	if err := json.Unmarshal(text, &k); err != nil {
		return s, err
	}
	s.text, s.set = text, true
	s.key, err = k.Signing()
	return s, err
}

// learnSigning takes over the keys in etcd.
func (n *Node) learnSigning(t *store.Txn) error {
	text, err := t.Get(store.KeySigning)
	if err != nil {
		return err
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if text == nil || bytes.Equal(text, n.signing.text) {
		return nil
	}
	learned, err := parseSigning(text)
	if err != nil {
		return err
	}
	n.signing = learned
	return n.writeSigning()
}

func (n *Node) writeSigning() error {
	with, err := sealWith(n.Secret)
	if err != nil {
		return err
	}
	nonce := make([]byte, with.NonceSize())
	rand.Read(nonce)
	return writeIn(n.Dir, signingFile, with.Seal(nonce, nonce, n.signing.text, nil))
}

// Signing is the key for answers, and the epoch for those of a service that cannot reach etcd.
func (n *Node) Signing() (key fleetkey.Signing, epoch uint64, known bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.signing.key, n.memory.Epoch, n.signing.set && n.memory.Epoch > 0
}

func sealWith(s secret.Secret) (cipher.AEAD, error) {
	key, err := s.Derive("signing")
	if err != nil {
		return nil, err
	}
	return chacha20poly1305.NewX(key)
}
