package sshkey

import (
	"encoding/binary"
	"strings"
)

// Types of certificates: the type of their key with "-cert-v01" before any domain.
const (
	certificate       = "-cert-v01@openssh.com"
	userCertificate   = 1
	numbersBehindUser = 2 // valid after, valid before
	textsBehindUser   = 5 // critical options, extensions, reserved, signature key, signature
)

// plainType returns the type of the key in a certificate of a type.
func plainType(typ string) (plain string, ok bool) {
	name, ok := strings.CutSuffix(typ, certificate)
	if !ok {
		return "", false
	}
	for _, plain := range []string{name, name + "@openssh.com"} {
		if fields(plain) > 0 {
			return plain, true
		}
	}
	return "", false
}

// reader takes one field after another off an encoded key. Once something is malformed it stays
// bad.
type reader struct {
	rest string
	bad  bool
}

func (r *reader) take(n uint64) string {
	if r.bad || n > uint64(len(r.rest)) {
		r.bad = true
		return ""
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) number() uint32 {
	if b := r.take(4); !r.bad {
		return binary.BigEndian.Uint32([]byte(b))
	}
	return 0
}

func (r *reader) text() string { return r.take(uint64(r.number())) }

func (r *reader) texts(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = r.text()
	}
	return all
}

// key returns the key of a type that fills the rest.
func (r *reader) key(typ string, n int) (Key, error) {
	parts := r.texts(n)
	if r.bad || r.rest != "" || !sound(typ, parts) {
		return Key{}, errBlob
	}
	return encode(typ, parts), nil
}

// certificate returns the key of the certificate that fills the rest. sshd has checked its
// signature, user and dates; what matters here is that no other key can be read out of it.
func (r *reader) certificate(typ string) (Key, error) {
	r.text() // a nonce
	parts := r.texts(fields(typ))
	r.take(8) // a serial number
	kind := r.number()
	r.texts(2) // a name and the principals
	r.take(8 * numbersBehindUser)
	r.texts(textsBehindUser)
	switch {
	case r.bad || r.rest != "" || !sound(typ, parts):
		return Key{}, errBlob
	case kind != userCertificate:
		return Key{}, errHostCert
	}
	return encode(typ, parts), nil
}

// sound refuses a key with fields of lengths that a key of its type cannot have.
func sound(typ string, parts []string) bool {
	curve, isCurve := strings.CutPrefix(typ, "ecdsa-sha2-")
	switch {
	case typ == "ssh-ed25519":
		return len(parts[0]) == 32
	case typ == SKEd25519:
		return len(parts[0]) == 32 && parts[1] != ""
	case typ == SKECDSA || typ == webAuthn:
		return parts[0] == "nistp256" && len(parts[1]) == 65 && parts[1][0] == 4 && parts[2] != ""
	case isCurve:
		return parts[0] == curve && parts[1] != ""
	}
	for _, part := range parts {
		if part == "" {
			return false
		}
	}
	return true
}

// encode returns a key encoded again, under the one name that its type has.
func encode(typ string, parts []string) Key {
	if typ == webAuthn {
		typ = SKECDSA
	}
	var blob []byte
	for _, part := range append([]string{typ}, parts...) {
		blob = binary.BigEndian.AppendUint32(blob, uint32(len(part)))
		blob = append(blob, part...)
	}
	return Key{Type: typ, Blob: string(blob)}
}
