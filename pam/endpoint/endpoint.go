// Package endpoint checks how a service on the network is reached, where it is configured: the
// login program links it, so it imports nothing of the network.
package endpoint

import (
	"encoding/pem"
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// Parse parses a URL that has no path, query or fragment.
func Parse(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || len(s) > 255 || strings.ContainsAny(s, "?#\\ ") {
		return nil, errForm
	}
	rest := url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host}
	if u.Hostname() == "" || rest.String() != s || !isPort(u) {
		return nil, errForm
	}
	return u, nil
}

func isPort(u *url.URL) bool {
	if !strings.HasSuffix(u.Host, ":"+u.Port()) {
		return u.Port() == ""
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

var errForm = errors.New("not a scheme, a host and a port")

// IsCertificates reports whether s, at most so many bytes long, is one PEM certificate or more,
// and nothing that looks like a private key. What is in them is for the program to parse that
// opens the connection: crypto/x509 would bring the network into the login program.
func IsCertificates(s string, most int) bool {
	rest, found := []byte(s), false
	for len(s) <= most {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return found && !strings.Contains(string(rest), "-----BEGIN")
		}
		if block.Type != "CERTIFICATE" {
			return false
		}
		found = true
	}
	return false
}
