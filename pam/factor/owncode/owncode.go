// Package owncode makes the codes that latchkey itself gives out: for recovery, or from root for
// one use.
package owncode

import (
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"

	"latchkey/pam/record"
)

// Alphabet is Crockford's base 32: no letter of it is mistaken for a digit. Length of them are 50
// bits.
const (
	Alphabet = "0123456789abcdefghjkmnpqrstvwxyz"
	Length   = 10

	rounds = 100_000
	group  = 5 // letters before the dash
)

// New makes a random code, as people read it best, and its hash. Neither is kept here.
func New(salt []byte) (code string, hash []byte, err error) {
	code = random()
	hash, err = Hash(code, salt)
	return printed(code), hash, err
}

func random() string {
	letters := make([]byte, Length)
	rand.Read(letters)
	for i, b := range letters {
		letters[i] = Alphabet[b%byte(len(Alphabet))] // 256 is a multiple of 32
	}
	return string(letters)
}

// printed is a code with a dash in the middle.
func printed(code string) string { return code[:group] + "-" + code[group:] }

// Hash is slow on purpose: a thief of a record and the host key must not find the codes by trying
// them all.
func Hash(code string, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, code, salt, rounds, record.RecoveryHash)
}
