// Package certs makes the certificates of a fleet under test.
package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// Authority is a certificate authority of its own.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	PEM         []byte // its certificate
}

// Wanted is a certificate to be issued, for a server and a client alike.
type Wanted struct {
	Name  string   // the common name, which is a client's user in etcd
	Hosts []string // addresses and DNS names
	// From and Until are by default an hour ago and a day from now.
	From, Until time.Time
}

// Pair is a certificate and its key.
type Pair struct{ Certificate, Key []byte }

// New makes an authority.
func New(name string) (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := Wanted{Name: name}.template()
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	template.ExtKeyUsage = nil
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	certificate, err := x509.ParseCertificate(der)
	return &Authority{certificate: certificate, key: key, PEM: block("CERTIFICATE", der)}, err
}

// Issue signs a certificate for a new key.
func (a *Authority) Issue(w Wanted) (Pair, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Pair{}, err
	}
	der, err := x509.CreateCertificate(rand.Reader, w.template(), a.certificate,
		&key.PublicKey, a.key)
	if err != nil {
		return Pair{}, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	return Pair{block("CERTIFICATE", der), block("PRIVATE KEY", private)}, err
}

// Save issues a certificate and writes DIR/NAME.crt and DIR/NAME.key.
func (a *Authority) Save(dir, name string, w Wanted) error {
	pair, err := a.Issue(w)
	if err != nil {
		return fmt.Errorf("issue a certificate for %s: %w", name, err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path+".crt", pair.Certificate, 0o644); err != nil {
		return err
	}
	return os.WriteFile(path+".key", pair.Key, 0o600)
}

func (w Wanted) template() *x509.Certificate {
	if w.From.IsZero() {
		w.From = time.Now().Add(-time.Hour)
	}
	if w.Until.IsZero() {
		w.Until = time.Now().Add(24 * time.Hour)
	}
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	t := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: w.Name},
		NotBefore: w.From, NotAfter: w.Until, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth,
			x509.ExtKeyUsageClientAuth},
	}
	for _, host := range w.Hosts {
		if ip := net.ParseIP(host); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, host)
		}
	}
	return t
}

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
