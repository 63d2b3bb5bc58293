package source

import (
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
	options
}

// Google reads a .google_authenticator file, as FILEFORMAT of google-authenticator-libpam
// describes it and its module reads it: the secret, then options and scratch codes, a line each.
// The file is one user's and does not say whose.
func Google(r io.Reader, name string, now time.Time) (Entry, error) {
	b, err := readText(r, name, googleLimit)
	if err != nil {
		return Entry{}, err
	}
	g := google{options: newOptions()}
	for i, line := range strings.Split(strings.TrimSuffix(string(b), "\n"), "\n") {
		err := g.line(i == 0, strings.TrimSuffix(line, "\r"))
		if odd := oddity(""); errors.As(err, &odd) {
			g.odd = append(g.odd, fmt.Sprintf("line %d was ignored: %s", i+1, odd))
		} else if err != nil {
			return Entry{}, at(name, i+1, err)
		}
	}
	e, err := g.entry(now)
	if err != nil {
		return Entry{}, fmt.Errorf("%s: %w", name, err)
	}
	return e, nil
}

func (g *google) line(first bool, line string) (err error) {
	switch {
	case first:
		g.secret, err = googleSecret(line)
	case line == "":
	case strings.HasPrefix(line, `" `):
		err = g.option(strings.Fields(line[2:]))
	case strings.Contains(line, "\x00"):
		err = errors.New("a NUL byte, where the module stops reading")
	default:
		return g.code(line)
	}
	return err
}

// googleSecret decodes as the module's own base32 does: digits that look like letters are those,
// and bits that make no whole byte are dropped.
func googleSecret(line string) ([]byte, error) {
	plain := strings.Map(func(r rune) rune {
		switch {
		case r == ' ' || r == '\t' || r == '-':
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
	if g.counter == 0 && !g.seen["TOTP_AUTH"] {
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
