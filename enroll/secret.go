package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"latchkey/enroll/migrate/source"
	"latchkey/enroll/options"
	"latchkey/pam/enrollment"
	"latchkey/pam/record"
)

// secret is a new random one, or the one in the file the options name.
func (p *program) secret(o options.Options) ([]byte, error) {
	switch o.SecretFile {
	case "":
		return enrollment.NewSecret(strings.ToUpper(o.Algorithm)), nil
	case "-":
		return readSecret("standard input", p.In)
	}
	f, err := os.Open(o.SecretFile)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readSecret(o.SecretFile, f)
}

// readSecret reads one line: base32, in either case, with or without padding and spaces, or 0x and hexadecimal. Errors name the file and never
// what stands in it.
func readSecret(name string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, 4096))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, errors.Unwrap(err))
	}
	line := strings.TrimSpace(string(text))
	if line == "" {
		return nil, fmt.Errorf("%s:1: no secret there", name)
	}
	if strings.ContainsAny(line, "\r\n") {
		return nil, fmt.Errorf("%s:2: more than one line", name)
	}
	secret, err := source.Secret(line)
	if err == nil && (len(secret) < record.MinSecret || len(secret) > record.MaxSecret) {
		err = fmt.Errorf("a secret has %d to %d bytes", record.MinSecret, record.MaxSecret)
	}
	if err != nil {
		return nil, fmt.Errorf("%s:1: %w", name, err)
	}
	return secret, nil
}
