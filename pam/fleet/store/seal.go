package store

import (
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"

	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
)

// keys are what a fleet's values are sealed and compared with.
type keys struct {
	values  cipher.AEAD
	tokens  []byte
	records record.Codec
}

func deriveKeys(s secret.Secret) (k keys, err error) {
	if k.records, err = s.Records(); err != nil {
		return k, err
	}
	if k.tokens, err = s.Derive("tokens"); err != nil {
		return k, err
	}
	key, err := s.Derive("values")
	if err != nil {
		return k, err
	}
	k.values, err = chacha20poly1305.NewX(key)
	return k, err
}

// ErrSealed is of a value that was not written under its key by a service of this fleet.
var ErrSealed = errors.New("a value in etcd was changed, or is of another fleet")

// seal puts a random nonce in front. It has 24 bytes: a busy fleet writes more values than a nonce
// of 12 bytes allows.
func seal(with cipher.AEAD, plain []byte, about string) []byte {
	nonce := make([]byte, with.NonceSize(), with.NonceSize()+len(plain)+with.Overhead())
	rand.Read(nonce)
	return with.Seal(nonce, nonce, plain, []byte(about))
}

func open(with cipher.AEAD, sealed []byte, about string) ([]byte, error) {
	if len(sealed) < with.NonceSize() {
		return nil, ErrSealed
	}
	nonce, text := sealed[:with.NonceSize()], sealed[with.NonceSize():]
	plain, err := with.Open(nil, nonce, text, []byte(about))
	if err != nil {
		return nil, ErrSealed
	}
	return plain, nil
}

// sum is a keyed hash of parts, each with its length, so that no two lists of parts are alike.
func (k keys) sum(parts ...[]byte) []byte {
	h := hmac.New(sha256.New, k.tokens)
	for _, p := range parts {
		var n [8]byte
		for i := range n {
			n[i] = byte(len(p) >> (8 * i))
		}
		h.Write(n[:])
		h.Write(p)
	}
	return h.Sum(nil)
}

// answerSeal seals the stored answer to a question. Only someone who knows the token can open it,
// because the token itself is not stored.
func (k keys) answerSeal(t wire.Token, whole []byte) (cipher.AEAD, error) {
	return chacha20poly1305.NewX(k.sum([]byte("answer"), t[:], whole))
}
