package attestation

import (
	"crypto/x509"
	"fmt"
	"time"

	"latchkey/pam/sshkey"
)

// Check reports why text does not prove that key is on a security key made by one of the makers:
// nil if it does. challenge is what the key was made with.
func (m Makers) Check(text, challenge []byte, key sshkey.Key, now time.Time) error {
	s, err := parse(text)
	if err != nil {
		return err
	}
	about, err := s.about(key)
	if err != nil {
		return err
	}
	cert, err := x509.ParseCertificate(s.certificate)
	if err != nil {
		return fmt.Errorf("%w: its certificate cannot be read: %v", errForm, err)
	}
	if err := about.signedBy(cert, s, challenge); err != nil {
		return err
	}
	return m.issued(cert, now)
}
