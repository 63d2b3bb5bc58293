package source

import (
	"encoding/base32"
	"encoding/hex"
	"errors"
	"strings"
)

// Secret reads a shared secret as people write it: base32, in either case, with or without padding, spaces and dashes, or 0x
// and hexadecimal. The error completes "it is …" and does not quote it.
func Secret(text string) ([]byte, error) {
	if digits, ok := strings.CutPrefix(text, "0x"); ok {
		secret, err := hex.DecodeString(digits)
		if err != nil {
			return nil, errors.New("not hexadecimal")
		}
		return secret, nil
	}
	plain := strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "=", "").Replace(text))
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(plain)
	if err != nil {
		return nil, errors.New("not base32")
	}
	return secret, nil
}
