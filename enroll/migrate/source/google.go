package source

import (
	"bytes"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/record"
)

// googleLimit is the size of the largest file that pam_google_authenticator takes, in bytes.
const googleLimit = 64 << 10

// google is a .google_authenticator file as far as it is read.
type google struct {
	secret []byte
	codes  []string
	odd    []string // lines that are passed over, as the module does
	totp   bool     // the secret is time-based, unless there is a counter
	options
}

// timeBased is what the module looks for, wherever it stands in the file.
const timeBased = `" TOTP_AUTH`

// Google reads a .google_authenticator file, as FILEFORMAT of google-authenticator-libpam
// describes it and its module reads it: the secret, then options and scratch codes, a line each.
// The file is one user's and does not say whose.
func Google(r io.Reader, name string, now time.Time) (Entry, error) {
	b, err := readText(r, name, googleLimit)
	if err != nil {
		return Entry{}, err
	}
	g := google{options: newOptions(), totp: bytes.Contains(b, []byte(timeBased))}
	first, rest, _ := strings.Cut(strings.TrimSuffix(string(b), "\n"), "\n")
	if g.secret, err = googleSecret(first); err != nil {
		return Entry{}, at(name, 1, err)
	}
	for i, line := range strings.Split(rest, "\n") {
		if err := g.line(i+2, line); err != nil {
			return Entry{}, at(name, i+2, err)
		}
	}
	e, err := g.entry(now)
	if err != nil {
		return Entry{}, fmt.Errorf("%s: %w", name, err)
	}
	return e, nil
}

// line reads what stands in a line. The module takes a carriage return for the end of one, too.
func (g *google) line(number int, line string) error {
	for part := range strings.SplitSeq(line, "\r") {
		err := g.part(part)
		if odd := oddity(""); errors.As(err, &odd) {
			g.odd = append(g.odd, fmt.Sprintf("line %d was ignored: %s", number, odd))
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (g *google) part(text string) error {
	switch {
	case text == "":
		return nil
	case strings.HasPrefix(text, `" `):
		return g.option(text[2:])
	case strings.Contains(text, "\x00"):
		return errors.New("a NUL byte, where the module stops reading")
	}
	return g.code(text)
}

// googleSecret decodes as the module's own base32 does: digits that look like letters are those,
// and bits that make no whole byte are dropped.
func googleSecret(line string) ([]byte, error) {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '\t' || r == '\r' || r == '-':
			return -1
		case 'a' <= r && r <= 'z':
			return r - 'a' + 'A'
		case r == '0':
			return 'O'
		case r == '1':
			return 'L'
		case r == '8':
			return 'B'
		}
		return r
	}, line)
	if strings.Trim(plain, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" {
		return nil, errors.New("not a secret in base32")
	}
	whole := len(plain) * 5 / 8
	unpadded := base32.StdEncoding.WithPadding(base32.NoPadding)
	secret, err := unpadded.DecodeString(plain[:(whole*8+4)/5])
	if err != nil || whole == 0 {
		return nil, errors.New("not a secret in base32")
	}
	return secret, nil
}

// code takes over a scratch code. A line that holds one and more is passed over, as by the module.
func (g *google) code(line string) error {
	code, ok := scratchCode(line)
	switch {
	case !ok:
		return oddity("neither an option nor a scratch code")
	case slices.Contains(g.codes, code):
	case len(g.codes) == record.MaxRecovery:
		return oddity(fmt.Sprintf("more than %d scratch codes", record.MaxRecovery))
	default:
		g.codes = append(g.codes, code)
	}
	return nil
}

// scratchCode reads a line as the module does, by strtol(3): white space, a sign and leading zeros
// may stand before the number, and nothing after it. The number has eight digits.
func scratchCode(line string) (code string, ok bool) {
	digits := strings.TrimLeft(line, " \t\v\f")
	digits = strings.TrimLeft(strings.TrimPrefix(digits, "+"), "0")
	return digits, len(digits) == 8 && strings.Trim(digits, "0123456789") == ""
}

// entry is what the file means here.
func (g *google) entry(now time.Time) (Entry, error) {
	if g.counter == 0 && !g.totp {
		const what = "neither TOTP_AUTH nor HOTP_COUNTER, so no code of its secret was ever " +
			"accepted"
		return Entry{}, errors.New(strings.Join(append([]string{what}, g.odd...), "; "))
	}
	d := Device{enrollment.NewTOTP("google", g.secret, "SHA1", 6,
		time.Duration(g.step)*time.Second, now), g.lastStep()}
	if g.counter > 0 {
		d = Device{enrollment.NewHOTP("google", g.secret, "SHA1", 6, now), uint64(g.counter)}
	}
	e := Entry{Codes: g.codes, Lost: g.lost(), Notes: g.odd}
	return e, e.add(d, now)
}
