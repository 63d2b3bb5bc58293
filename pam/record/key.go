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
	keyLimit  = 256 // bytes of the file
)

// ErrNoKey says that the host key is missing. Without it no record of this host can be read.
var ErrNoKey = errors.New("the host key is missing")

// ErrKey says that the host key is there and cannot be used: damaged, or not only root's. The
// records are not at fault.
var ErrKey = errors.New("the host key cannot be used")

// key is the host key, as the two keys that are derived from it.
type key struct {
	mac  []byte
	seal cipher.AEAD
	old  *key // while the host key is being replaced: opens records that the new one does not
}

// loadKey reads the host key from the directory path.
func loadKey(path string) (*key, error) {
	dir, err := safefile.OpenDir(path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	text, err := dir.ReadFile(keyFile, safefile.Private, keyLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w (%s/%s)", ErrNoKey, path, keyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrKey, err)
	}
	k, err := readKey(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s/%s: %v", ErrKey, path, keyFile, err)
	}
	return k, nil
}

// readKey reads the text of a key file: one line, or two while the host key is being replaced.
func readKey(text []byte) (*key, error) {
	end := bytes.IndexByte(text, '\n') + 1
	secret, err := parseKey(text[:end])
	if err != nil {
		return nil, err
	}
	k, err := deriveKey(secret)
	if err != nil || end == len(text) {
		return k, err
	}
	if secret, err = parseKey(text[end:]); err != nil {
		return nil, err
	}
	k.old, err = deriveKey(secret)
	return k, err
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

// parseKey reads a line of a key file.
func parseKey(line []byte) ([]byte, error) {
	body, ok := bytes.CutPrefix(line, []byte(keyPrefix))
	if !ok {
		return nil, errors.New("not a latchkey host key of version 1")
	}
	raw, err := base64.StdEncoding.DecodeString(string(bytes.TrimSuffix(body, []byte("\n"))))
	if err != nil || len(raw) != keySize+keyCheck || !bytes.Equal(formatKey(raw[:keySize]), line) {
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

// ReadKey returns the codec of records that were sealed with the host key in text, the content of
// a key file.
func ReadKey(text []byte) (Codec, error) {
	k, err := readKey(text)
	return Codec{k}, err
}

// PutKey makes the first host key in text this host's, if it has none. The caller holds
// state.Store's Exclusive lock.
func (s Store) PutKey(text []byte) error {
	if _, err := loadKey(s.KeyPath); !errors.Is(err, ErrNoKey) {
		return err
	}
	if _, err := readKey(text); err != nil {
		return err
	}
	dir, err := safefile.OpenDir(s.KeyPath)
	if err != nil {
		return err
	}
	defer dir.Close()
	return safefile.Part(dir.Create(keyFile, text[:bytes.IndexByte(text, '\n')+1]))
}
