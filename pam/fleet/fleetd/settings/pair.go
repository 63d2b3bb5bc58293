package settings

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"sync"

	"latchkey/pam/safefile"
)

// pem is a certificate and its key, and the files that they are in.
type pem struct {
	certFile, keyFile string
	cert, key         []byte
}

// Pair reads the certificate of the service and its key.
func (s *Settings) Pair() (*tls.Certificate, error) { return s.pair(s.TLSCert, s.TLSKey) }

// Pairs returns a Pair to be called for each connection: a file that was replaced counts at once, and
// one that was not is read, but not parsed again.
func (s *Settings) Pairs() func() (*tls.Certificate, error) {
	var mutex sync.Mutex
	var from pem
	var parsed *tls.Certificate
	return func() (*tls.Certificate, error) {
		p, err := s.pem(s.TLSCert, s.TLSKey)
		if err != nil {
			return nil, err
		}
		mutex.Lock()
		defer mutex.Unlock()
		if parsed == nil || !bytes.Equal(p.cert, from.cert) || !bytes.Equal(p.key, from.key) {
			pair, err := p.parse()
			if err != nil {
				return nil, err
			}
			from, parsed = p, pair
		}
		return parsed, nil
	}
}

func (s *Settings) pair(cert, key string) (*tls.Certificate, error) {
	p, err := s.pem(cert, key)
	if err != nil {
		return nil, err
	}
	return p.parse()
}

func (s *Settings) pem(cert, key string) (p pem, err error) {
	p.certFile, p.keyFile = cert, key
	if p.cert, err = safefile.ReadFile(s.Root+cert, safefile.NotWritable, maxPEM); err != nil {
		return p, err
	}
	p.key, err = safefile.ReadFile(s.Root+key, safefile.Private, maxPEM)
	return p, err
}

func (p pem) parse() (*tls.Certificate, error) {
	pair, err := tls.X509KeyPair(p.cert, p.key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %v", p.certFile, p.keyFile, err)
	}
	return &pair, nil
}
