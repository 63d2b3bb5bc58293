// Package attestation checks the proof by its maker that a security key is one.
//
// ssh-keygen -O write-attestation writes what the security key said when it made the SSH key:
// OpenSSH's PROTOCOL.u2f has the file, and WebAuthn (W3C) sections 6.1, 6.5 and 8.2 what is in it.
package attestation

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
)

// Errors that say what a file does not prove.
var (
	errForm = errors.New("not an attestation that ssh-keygen -O write-attestation wrote")
	errOld  = errors.New("OpenSSH before 8.4 made the attestation and left out what it " +
		"is about")
	errNoMaker   = errors.New("no maker has signed the attestation")
	errOther     = errors.New("the attestation is of another key")
	errSignature = errors.New("the certificate's key did not sign this key with this challenge")
	errUntouched = errors.New("the key was made without a touch")
	errSubject   = errors.New("the certificate is not for attestations of this kind of " +
		"security key")
)

const (
	magic    = "ssh-sk-attest-v01"
	oldMagic = "ssh-sk-attest-v00"
)

// statement is what the security key said.
type statement struct {
	certificate   []byte // of its kind, in DER
	signature     []byte
	authenticator []byte // authenticator data, WebAuthn section 6.1
}

// parse takes the file apart.
func parse(text []byte) (s statement, err error) {
	r := reader{text}
	switch string(r.bytes()) {
	case magic:
	case oldMagic:
		return s, errOld
	default:
		return s, errForm
	}
	s.certificate, s.signature = r.bytes(), r.bytes()
	encoded := r.bytes()
	flags, reserved := r.take(4), r.bytes()
	if r.rest == nil || len(r.rest)+len(reserved) > 0 || !bytes.Equal(flags, make([]byte, 4)) {
		return s, errForm
	}
	if len(s.certificate) == 0 {
		return s, errNoMaker
	}
	s.authenticator, err = byteString(encoded)
	return s, err
}

// byteString is what a CBOR byte string holds (RFC 8949 section 3.1, major type 2), up to 64 KiB.
func byteString(encoded []byte) ([]byte, error) {
	r := reader{encoded}
	head := r.take(1)
	if r.rest == nil {
		return nil, errForm
	}
	length := uint64(head[0]) - 0x40
	switch head[0] {
	case 0x58:
		length = number(r.take(1))
	case 0x59:
		length = number(r.take(2))
	default:
		if length > 23 {
			return nil, errForm
		}
	}
	text := r.take(length)
	if r.rest == nil || len(r.rest) > 0 {
		return nil, errForm
	}
	return text, nil
}

// reader takes pieces off the front. Once one is missing, rest is nil, and so is every other
// piece.
type reader struct{ rest []byte }

func (r *reader) take(n uint64) []byte {
	if r.rest == nil || n > uint64(len(r.rest)) {
		r.rest = nil
		return nil
	}
	taken := r.rest[:n:n]
	r.rest = r.rest[n:]
	return taken
}

// bytes takes a string as SSH encodes it.
func (r *reader) bytes() []byte { return r.take(number(r.take(4))) }

func number(digits []byte) uint64 {
	return binary.BigEndian.Uint64(append(make([]byte, 8-len(digits)), digits...))
}

// hash is SHA-256 as a slice.
func hash(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:]
}
