package record

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"

	"latchkey/pam/safefile"
)

const (
	keyFile   = "key"
	keyPrefix = "latchkey-key-1 "
	keySize   = 32
	keyCheck  = 4
)

// ErrNoKey says that the host key is missing. Without it no record of this host can be read.
var ErrNoKey = errors.New("the host key is missing")

// key is the host key, as the two keys that are derived from it.
type key struct {
	mac  []byte
	seal cipher.AEAD
}

// loadKey reads the host key from the directory path.
func loadKey(path string) (*key, error) {
	dir, err := safefile.OpenDir(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	text, err := dir.ReadFile(keyFile, safefile.Private, 256)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (%s/%s)", ErrNoKey, path, keyFile)
	}
	if err != nil {
		return nil, err
	}
	secret, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %v", path, keyFile, err)
	}
	return deriveKey(secret)
}

// createKey makes the host key. The error matches fs.ErrExist if there is one.
func createKey(path string) error {
	dir, err := safefile.OpenDir(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	secret := make([]byte, keySize)
	rand.Read(secret)
	return safefile.Part(dir.Create(keyFile, formatKey(secret)))
}

func formatKey(secret []byte) []byte {
	sum := sha256.Sum256(secret)
	text := base64.StdEncoding.EncodeToString(append(bytes.Clone(secret), sum[:keyCheck]...))
	return []byte(keyPrefix + text + "\n")
}

func parseKey(text []byte) ([]byte, error) {
	body, ok := bytes.CutPrefix(text, []byte(keyPrefix))
	if !ok {
		return nil, errors.New("not a latchkey host key of version 1")
	}
	raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSuffix(body, []byte("\n"))))
	if err != nil || len(raw) != keySize+keyCheck || !bytes.Equal(formatKey(raw[:keySize]), text) {
		return nil, errors.New("the host key is damaged")
	}
	return raw[:keySize], nil
}

func deriveKey(secret []byte) (*key, error) {
	mac, err := hkdf.Key(sha256.New, secret, nil, "latchkey record mac 1", keySize)
	if err != nil {
		return nil, err
	}
	seal, err := hkdf.Key(sha256.New, secret, nil, "latchkey record seal 1", keySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(seal)
	if err != nil {
		return nil, err
	}
	// The nonce is random for every sealed secret. GCM allows 2^32 of them; a host has a few
	// thousand.
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	return &key{mac: mac, seal: aead}, nil
}

func (k *key) sum(body []byte) []byte {
	h := hmac.New(sha256.New, k.mac)
	h.Write(body)
	return h.Sum(nil)
}
