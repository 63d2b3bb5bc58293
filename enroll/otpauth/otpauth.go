// Package otpauth writes secrets as authenticator apps and people read them.
package otpauth

import (
	"encoding/base32"
	"net/url"
	"strings"
)

// Shortest is the URI of a time-based device with the parameters that apps assume (SHA1, 6 digits, 30 seconds), with nothing in
// it that they do not need, so that its QR code fits on a terminal. The issuer, if any, is what stands before the colon of the label
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format).
func Shortest(label string, secret []byte) string {
	return "otpauth://totp/" + url.PathEscape(label) + "?secret=" + base32Of(secret)
}

// Grouped is a secret in base32 in groups of four, for people who type it.
func Grouped(secret []byte) string {
	text := base32Of(secret)
	var groups []string
	for len(text) > 4 {
		groups, text = append(groups, text[:4]), text[4:]
	}
	return strings.Join(append(groups, text), " ")
}

func base32Of(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}
