package source

import (
	"errors"
	"testing"
)

func TestTheFormatIsToldFromTheContent(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want Format
	}{
		"of google-authenticator":          {readFile(t, "google/totp"), GoogleFormat},
		"of google-authenticator, counter": {readFile(t, "google/hotp"), GoogleFormat},
		"of google, with CR LF":            {base32Secret + "\r\n\" TOTP_AUTH\r\n", GoogleFormat},
		"of pam_oath":                      {readFile(t, "users.oath"), OathFormat},
		"of pam_oath, one user":            {"HOTP alice - " + hexSecret, OathFormat},
		"CSV":                              {csvHeader, CSVFormat},
		"CSV in another order":             {"\ufeffsecret,type,user\r\n", CSVFormat},
		"nothing":                          {"", ""},
		"a secret alone":                   {base32Secret + "\n", ""},
		"comments":                         {"# nothing\n", ""},
		"CSV without its first line":       {"alice,totp," + base32Secret, ""},
		"something else":                   {"root:x:0:0:root:/root:/bin/sh\n", ""},
		"two of them":                      {"HOTP alice - GEZD\n\" TOTP_AUTH\n", ""},
	} {
		got, err := Guess([]byte(c.text))
		if got != c.want || (err != nil) != (c.want == "") || err != nil &&
			!errors.Is(err, ErrFormat) {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}
