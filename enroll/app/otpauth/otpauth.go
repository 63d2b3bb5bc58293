// Package otpauth writes secrets as authenticator apps and people read them.
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format)
package otpauth

import (
	"encoding/base32"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"latchkey/pam/method"
	"latchkey/pam/record"
)

// Host is the name of this machine, by which people tell the accounts in an app apart.
func Host() string {
	host, err := os.Hostname()
	if err != nil || host == "" {
		return "latchkey"
	}
	return host
}

// URI is a device of the user's with all its parameters. Of tokens it lacks the counter.
func URI(host, user string, d record.Device) (string, error) {
	if d.Type == method.HOTP {
		return token(host, user, d), nil
	}
	algorithms := map[string]otp.Algorithm{
		"SHA1": otp.AlgorithmSHA1, "SHA256": otp.AlgorithmSHA256, "SHA512": otp.AlgorithmSHA512,
	}
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: host, AccountName: user, Secret: d.Secret, Period: uint(d.Period / time.Second),
		Digits: otp.Digits(d.Digits), Algorithm: algorithms[d.Algorithm],
	})
	if err != nil {
		return "", fmt.Errorf("make the otpauth URI: %w", err)
	}
	return key.URL(), nil
}

// token is the URI of a token. The library's own writes no algorithm for HOTP.
func token(host, user string, d record.Device) string {
	v := url.Values{}
	v.Set("secret", base32Of(d.Secret))
	v.Set("issuer", host)
	v.Set("algorithm", d.Algorithm)
	v.Set("digits", strconv.Itoa(d.Digits))
	path := "/" + host + ":" + user
	u := url.URL{Scheme: "otpauth", Host: "hotp", Path: path, RawQuery: v.Encode()}
	return u.String()
}

// Usual tells whether a device has the parameters that apps assume: time-based, SHA1, 6 digits,
// 30 seconds.
func Usual(d record.Device) bool {
	return d.Type == method.TOTP &&
		d.Algorithm == "SHA1" && d.Digits == 6 && d.Period == 30*time.Second
}

// Short are URIs of a usual device with nothing in them that apps do not need, so that their QR
// codes fit on a terminal, the longest first: with the whole name of the host, with the first
// part of it, and with the user alone. The issuer is what stands before the colon of the label.
func Short(host, user string, secret []byte) (uris []string) {
	first, _, _ := strings.Cut(host, ".")
	for _, label := range []string{host + ":" + user, first + ":" + user, user} {
		uris = append(uris, "otpauth://totp/"+url.PathEscape(label)+"?secret="+base32Of(secret))
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
