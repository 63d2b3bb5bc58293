package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Format is the kind of a file.
type Format string

// The formats.
const (
	GoogleFormat Format = "google" // pam_google_authenticator's .google_authenticator
	OathFormat   Format = "oath"   // pam_oath's users file
	CSVFormat    Format = "csv"
)

// ErrFormat says that Guess cannot tell what a file is.
var ErrFormat = errors.New("its format is not recognized")

// Read reads a file of that format; name is what errors call it. An error means that nothing of
// the file can be used.
func Read(format Format, r io.Reader, name string, now time.Time) ([]Entry, error) {
	switch format {
	case GoogleFormat:
		e, err := Google(r, name, now)
		return []Entry{e}, err
	case OathFormat:
		return Oath(r, name, now)
	case CSVFormat:
		return CSV(r, name, now)
	}
	return nil, fmt.Errorf("unknown format %q", format)
}

// Guess tells the format of a file from its text. The error is ErrFormat if it could be none or
// several of them.
func Guess(text []byte) (Format, error) {
	// the longest that one of them can be is enough of the others
	text = text[:min(len(text), googleLimit)]
	var found []Format
	for _, f := range []struct {
		Format
		like func(lines []string) bool
	}{{GoogleFormat, likeGoogle}, {OathFormat, likeOath}, {CSVFormat, likeCSV}} {
		if f.like(strings.Split(string(bytes.TrimPrefix(text, byteOrderMark)), "\n")) {
			found = append(found, f.Format)
		}
	}
	if len(found) != 1 {
		return "", ErrFormat
	}
	return found[0], nil
}

// likeGoogle: a secret, and somewhere an option, without which no code would be accepted.
func likeGoogle(lines []string) bool {
	if _, err := googleSecret(strings.TrimSuffix(lines[0], "\r")); err != nil {
		return false
	}
	for _, line := range lines[1:] {
		if strings.HasPrefix(line, `" `) || strings.Contains(line, timeBased) {
			return true
		}
	}
	return false
}

// likeOath: below comments, a line that begins with a type of pam_oath.
func likeOath(lines []string) bool {
	for _, line := range lines {
		if words := strings.Fields(line); len(words) > 0 && words[0][0] != '#' {
			return len(words) > 1 && strings.HasPrefix(words[0], "HOTP")
		}
	}
	return false
}

// likeCSV: a header that names the user's column among others.
func likeCSV(lines []string) bool {
	header := "," + strings.Trim(lines[0], "\r") + ","
	return strings.Contains(header, ",user,") && strings.Contains(header, ",type,")
}
