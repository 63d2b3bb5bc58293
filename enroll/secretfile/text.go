package secretfile

import (
	"encoding/base32"
	"encoding/hex"
	"errors"
	"strings"
)

// Decode reads a shared secret as people write it: base32, in either case, with or without
// padding, spaces and dashes; or hexadecimal, behind 0x or where it cannot be base32. The error
// completes "it is …" and does not quote it.
func Decode(text string) ([]byte, error) {
	plain := strings.ToUpper(strings.NewReplacer(" ", "", "\t", "", "-", "").Replace(text))
	if digits, ok := strings.CutPrefix(plain, "0X"); ok {
		secret, err := hex.DecodeString(digits)
		if err != nil {
			return nil, errors.New("not hexadecimal")
		}
		return secret, nil
	}
	plain = strings.ReplaceAll(plain, "=", "")
	unpadded := base32.StdEncoding.WithPadding(base32.NoPadding)
	if secret, err := unpadded.DecodeString(plain); err == nil {
		return secret, nil
	}
	if secret, err := hex.DecodeString(plain); err == nil {
		return secret, nil
	}
	return nil, errors.New("neither base32 nor hexadecimal")
}
