package standin

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"time"
)

// Certificate is what is wrong with the stand-in's certificate.
type Certificate int

// The certificates. All but SelfSigned come from the authority that Settings name.
const (
	Good Certificate = iota
	Expired
	SelfSigned
	WrongHost
)

// pair is a certificate and its key.
type pair struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// makeCertificates makes an authority, as PEM, and a certificate from it or not.
func makeCertificates(kind Certificate, hosts []string) (authority string, leaf tls.Certificate,
	err error) {
	root, err := issue(authorityTemplate(), nil)
	if err != nil {
		return "", leaf, err
	}
	parent := &root
	if kind == SelfSigned {
		parent = nil
	}
	server, err := issue(serverTemplate(kind, hosts), parent)
	if err != nil {
		return "", leaf, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.certificate.Raw})
	return string(text), tls.Certificate{Certificate: [][]byte{server.certificate.Raw},
		PrivateKey: server.key}, nil
}

func authorityTemplate() *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "stand-in for Twilio Verify: authority"},
		NotBefore:    time.Now().Add(-72 * time.Hour), NotAfter: time.Now().Add(72 * time.Hour),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
}

func serverTemplate(kind Certificate, hosts []string) *x509.Certificate {
	t := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "stand-in for Twilio Verify"},
		NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if kind == Expired {
		t.NotAfter = time.Now().Add(-24 * time.Hour)
	}
	names := append([]string{"127.0.0.1", "localhost"}, hosts...)
	if kind == WrongHost {
		names = []string{"elsewhere.example"}
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
			continue
		}
		t.DNSNames = append(t.DNSNames, name)
	}
	return t
}

// issue signs a template by its parent, or by itself if it has none.
func issue(template *x509.Certificate, parent *pair) (p pair, err error) {
	if p.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return p, err
	}
	if parent == nil {
		parent = &pair{template, p.key}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent.certificate, p.key.Public(),
		parent.key)
	if err != nil {
		return p, err
	}
	p.certificate, err = x509.ParseCertificate(der)
	return p, err
}

func tlsConfig(c tls.Certificate) *tls.Config {
	return &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{c},
		NextProtos: []string{"http/1.1"}}
}
