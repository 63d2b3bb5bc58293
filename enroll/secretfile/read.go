package secretfile

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"latchkey/pam/record"
)

// fileLimit is more than any line with a secret has, in bytes: an export of ten accounts fits.
const fileLimit = 4096

const byteOrderMark = "\ufeff" // which Windows' editor writes

// Read reads the one line of a file. Errors name the file and the line.
func Read(r io.Reader, name string) (Secret, error) {
	text, err := io.ReadAll(io.LimitReader(r, fileLimit+1))
	switch {
	case err != nil:
		return Secret{}, fmt.Errorf("read %s: %w", name, errors.Unwrap(err))
	case len(text) > fileLimit:
		return Secret{}, fmt.Errorf("%s: larger than %d bytes", name, fileLimit)
	}
	line := strings.TrimSpace(strings.TrimPrefix(string(text), byteOrderMark))
	if line == "" {
		return Secret{}, fmt.Errorf("%s:1: no secret there", name)
	}
	if strings.ContainsAny(line, "\r\n") {
		return Secret{}, fmt.Errorf("%s:2: more than one line", name)
	}
	s, err := Parse(line)
	if err != nil {
		return Secret{}, fmt.Errorf("%s:1: %w", name, err)
	}
	return s, nil
}

// Parse reads one line.
func Parse(line string) (s Secret, err error) {
	scheme, _, _ := strings.Cut(strings.ToLower(line), "://")
	switch scheme {
	case "otpauth":
		s, err = fromURI(line)
	case "otpauth-migration":
		s, err = fromExport(line)
	default:
		s.Bytes, err = Decode(line)
	}
	if err == nil && (len(s.Bytes) < record.MinSecret || len(s.Bytes) > record.MaxSecret) {
		err = fmt.Errorf("a secret has %d to %d bytes", record.MinSecret, record.MaxSecret)
	}
	if err != nil {
		return Secret{}, err
	}
	return s, nil
}
