package owncode_test

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"latchkey/pam/factor/normalize"
	"latchkey/pam/factor/owncode"
	"latchkey/pam/record"
)

func TestNewCodeIsReadAsItIsPrintedAndHasItsHash(t *testing.T) {
	salt, seen := []byte("0123456789abcdef"), map[string]bool{}
	for range 3 {
		code, hash, err := owncode.New(salt)
		if err != nil || len(code) != owncode.Length+1 || code[5] != '-' || seen[code] {
			t.Fatalf("got %q, %v; want a new code with a dash in its middle", code, err)
		}
		seen[code] = true
		typed, possible := normalize.AnyCode(strings.ToUpper(code))
		if !possible || len(typed) != owncode.Length ||
			strings.Trim(typed, owncode.Alphabet) != "" {
			t.Errorf("%q: got %q, %v", code, typed, possible)
		}
		again, err := owncode.Hash(typed, salt)
		if err != nil || len(hash) != record.RecoveryHash || !bytes.Equal(again, hash) {
			t.Errorf("got hash %x, %v; want %x", again, err, hash)
		}
		if other, _ := owncode.Hash(typed, []byte("another salt....")); bytes.Equal(other, hash) {
			t.Error("got the same hash with another salt")
		}
	}
}

// The vector was computed with Python: hashlib.pbkdf2_hmac("sha256", b"0123456789", b"salt"*4,
// 100000).
func TestHashIsPBKDF2With100000Iterations(t *testing.T) {
	got, err := owncode.Hash("0123456789", []byte("saltsaltsaltsalt"))
	const want = "d7170c6ba391150105ef7a451d399d0607caf73e1714d3a669278f5bcaa1db75"
	if err != nil || hex.EncodeToString(got) != want {
		t.Errorf("got %x, %v; want %s", got, err, want)
	}
}
