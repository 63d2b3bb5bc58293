package main

import (
	"crypto/x509"
	"net/url"
	"strconv"

	"latchkey/pam/twilio/access"
	"latchkey/pam/unprivileged/confine"
)

// confined leaves the program what reaching Twilio with these settings takes. The request was read
// before, and the system's authorities are read here, so that no file of theirs is needed later.
// Where the kernel cannot, the program goes on with what it lacks anyway: it is an unprivileged
// user's.
func confined(s access.Settings) error {
	if s.CA == "" {
		_, _ = x509.SystemCertPool() // an error comes back when a certificate is checked
	}
	ports := []uint16{confine.Domain}
	for _, address := range []string{s.Base(), s.Proxy} {
		if address == "" {
			continue
		}
		port, err := portOf(address)
		if err != nil {
			return err
		}
		ports = append(ports, port)
	}
	_, err := confine.Process(confine.Needs{Files: confine.Lookup, Ports: ports})
	return err
}

// portOf is the port of a URL that was validated.
func portOf(address string) (uint16, error) {
	u, err := url.Parse(address)
	if err != nil {
		return 0, err
	}
	switch {
	case u.Port() == "" && u.Scheme == "http":
		return 80, nil
	case u.Port() == "":
		return 443, nil
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return uint16(port), err
}
