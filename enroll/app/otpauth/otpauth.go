// Package otpauth writes secrets as authenticator apps and people read them.
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format)
package otpauth

import (
	"encoding/base32"
	"fmt"
	"strings"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
)

// URI is a device of an account with all its parameters. Of tokens it lacks the counter.
func URI(a Account, d record.Device) string {
	kind, period := "hotp", ""
	if d.Type == method.TOTP {
		kind, period = "totp", fmt.Sprintf("&period=%d", d.Period/time.Second)
	}
	return fmt.Sprintf("otpauth://%s/%s?algorithm=%s&digits=%d&issuer=%s%s&secret=%s",
		kind, a.label(), d.Algorithm, d.Digits, escape(a.issuer()), period, base32Of(d.Secret))
}

// Usual reports whether a device has the parameters that apps assume: time-based, SHA1, 6 digits,
// 30 seconds.
func Usual(d record.Device) bool {
	return d.Type == method.TOTP &&
		d.Algorithm == "SHA1" && d.Digits == 6 && d.Period == 30*time.Second
}

// Short are URIs of a usual device with nothing in them that apps do not need, so that their QR
// codes fit on a terminal, the longest first. The issuer is what stands before the colon of the
// label, or a parameter where it cannot stand there.
func Short(a Account, secret []byte) (uris []string) {
	for _, brief := range a.short() {
		uri := "otpauth://totp/" + brief.label() + "?secret=" + base32Of(secret)
		if strings.Contains(brief.issuer(), ":") {
			uri += "&issuer=" + escape(brief.issuer())
		}
		uris = append(uris, uri)
	}
	return uris
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
