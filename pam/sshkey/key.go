// Package sshkey reads SSH public keys, and what sshd says about the keys that it accepted.
//
// It has only what a login needs of SSH's formats: golang.org/x/crypto/ssh would link network code
// into a program that runs as root at every login. RFC 4253 section 6.6 describes the encoding of
// keys, OpenSSH's PROTOCOL.u2f that of security keys, and PROTOCOL.certkeys that of certificates.
package sshkey

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Key is a public key, without any certificate around it. The zero Key is none.
type Key struct {
	Type string // as in the blob, such as "ssh-ed25519" or SKEd25519
	Blob string // the encoded key
}

// The types of keys that live on security keys.
const (
	SKEd25519 = "sk-ssh-ed25519@openssh.com"
	SKECDSA   = "sk-ecdsa-sha2-nistp256@openssh.com"
	// webAuthn is a way to sign with an SKECDSA key in a browser. OpenSSH reads a public key whose
	// type has that name, and writes it under the key's own.
	webAuthn = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"
)

// fields returns the number of fields that a key of a type has after its type. It is 0 for types
// that are not known.
func fields(typ string) int {
	switch typ {
	case "ssh-ed25519":
		return 1
	case "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", SKEd25519:
		return 2
	case SKECDSA, webAuthn:
		return 3
	case "ssh-dss":
		return 4
	}
	return 0
}

// Errors of Parse. None of them shows any of the input.
var (
	errForm     = errors.New("not a public key: its line is a type, base64 and a comment")
	errType     = errors.New("the key is not of the type that its line begins with")
	errBlob     = errors.New("the key is malformed: copy its whole line")
	errHostCert = errors.New("the certificate is a host's, not a user's")
)

// Hash returns the SHA-256 of the key, by which it can be recognized.
func (k Key) Hash() [sha256.Size]byte { return sha256.Sum256([]byte(k.Blob)) }

// Fingerprint returns the hash as ssh-keygen -l shows it.
func (k Key) Fingerprint() string {
	hash := k.Hash()
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(hash[:])
}

// String returns the key as a line of a public key file, without a comment.
func (k Key) String() string {
	return k.Type + " " + base64.StdEncoding.EncodeToString([]byte(k.Blob))
}

// OnSecurityKey reports whether the key's type is one that lives on security keys. That is not
// proof that this one does: 60 lines of code can act like one.
func (k Key) OnSecurityKey() bool { return k.Type == SKEd25519 || k.Type == SKECDSA }

// Application returns the application of a security key, usually "ssh:"; empty for other keys.
func (k Key) Application() string {
	if !k.OnSecurityKey() {
		return ""
	}
	parts := (&reader{rest: k.Blob}).texts(1 + fields(k.Type))
	return parts[len(parts)-1]
}

// Accepted returns the keys that sshd says it accepted in this connection. authInfo is
// SSH_AUTH_INFO_0: a line for each method that was passed, with a key after "publickey". A line
// that cannot be read is skipped: then no key is known to have been accepted.
func Accepted(authInfo string) (keys []Key) {
	for line := range strings.Lines(authInfo) {
		text, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "publickey ")
		if !ok {
			continue
		}
		if key, err := Parse(text); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}

// Parse reads the line of a public key or of a user's certificate, as ssh-keygen writes it: a
// type, base64 and possibly more. For a certificate it returns the key inside, which stays the
// same when the certificate is renewed.
func Parse(line string) (Key, error) {
	words := strings.SplitN(strings.TrimRight(line, "\r\n"), " ", 3)
	if len(words) < 2 {
		return Key{}, errForm
	}
	blob, err := base64.StdEncoding.Strict().DecodeString(words[1])
	if err != nil || strings.ContainsAny(words[1], "\r\n") {
		return Key{}, errForm
	}
	return FromBlob(words[0], string(blob))
}

// FromBlob returns the key that is encoded in blob, or the key inside the certificate, whose type
// is said to be kind.
func FromBlob(typ, blob string) (Key, error) {
	r := &reader{rest: blob}
	inside := r.text()
	switch {
	case r.bad:
		return Key{}, errBlob
	case typ != inside && (typ != webAuthn || inside != SKECDSA):
		return Key{}, errType
	}
	if plain, ok := plainType(inside); ok {
		return r.certificate(plain)
	}
	n := fields(inside)
	if n == 0 {
		return Key{}, fmt.Errorf("%w %q", ErrUnknown, cut(inside))
	}
	return r.key(inside, n)
}

// ErrUnknown says that latchkey does not know the type of a key.
var ErrUnknown = errors.New("unknown type of key")

// cut bounds text that is shown.
func cut(text string) string { return text[:min(len(text), 64)] }

// Decode returns the key that is encoded in blob, or the key inside the certificate.
func Decode(blob string) (Key, error) {
	r := &reader{rest: blob}
	return FromBlob(r.text(), blob)
}
