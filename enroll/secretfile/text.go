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
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		secret, err := hex.DecodeString(digits)
		if err != nil {
			return nil, errors.New("not hexadecimal")
		}
		return secret, nil
	}
	separators := strings.NewReplacer(" ", "", "-", "", "=", "")
	plain := strings.ToUpper(separators.Replace(text))
	unpadded := base32.StdEncoding.WithPadding(base32.NoPadding)
	if secret, err := unpadded.DecodeString(plain); err == nil {
		return secret, nil
	}
	if secret, err := hex.DecodeString(separators.Replace(text)); err == nil {
		return secret, nil
	}
	return nil, errors.New("neither base32 nor hexadecimal")
}
