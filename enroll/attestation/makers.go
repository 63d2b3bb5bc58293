package attestation

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"latchkey/pam/safefile"
)

// Dir is where root keeps the certificates of makers that are believed.
const Dir = "/etc/latchkey/attestation.d"

// maxFile is the longest file of certificates, in bytes.
const maxFile = 1 << 20

// Makers are the makers of security keys whose attestations are believed. The zero Makers are
// none.
type Makers struct {
	roots, between *x509.CertPool
}

// PutThere says how root comes to believe a maker.
const PutThere = "put the root certificate that the maker publishes into " + Dir +
	" (a folder of root's), in PEM, as NAME.pem"

// ErrNone says that root believes no maker.
var ErrNone = errors.New("no maker's certificate is in " + Dir)

// Load reads the certificates in Dir below root ("" for the system's): files ending in .pem or
// .crt, in PEM. Those that are signed by themselves are makers' roots; others stand between a
// root and what it attests. Only root may have been able to write any of them, so Load is for
// root.
func Load(root string) (m Makers, err error) {
	if _, err := os.Lstat(root + Dir); errors.Is(err, fs.ErrNotExist) {
		return m, ErrNone
	}
	dir, err := safefile.OpenDir(root + Dir)
	if err != nil {
		return m, err
	}
	defer dir.Close()
	names, err := dir.Names()
	if err != nil {
		return m, err
	}
	m = Makers{x509.NewCertPool(), x509.NewCertPool()}
	found := 0
	for _, name := range names {
		if ext := filepath.Ext(name); ext != ".pem" && ext != ".crt" {
			continue
		}
		n, err := m.read(dir, name)
		if err != nil {
			return Makers{}, fmt.Errorf("%s/%s: %w", Dir, name, err)
		}
		found += n
	}
	if found == 0 {
		return Makers{}, ErrNone
	}
	return m, nil
}

// read takes the certificates of a file, and returns how many of them are roots.
func (m Makers) read(dir *safefile.Dir, name string) (roots int, err error) {
	text, err := dir.ReadFile(name, safefile.NotWritable, maxFile)
	if err != nil {
		return 0, err
	}
	return m.add(text)
}

func (m Makers) add(text []byte) (roots int, err error) {
	empty := true
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return roots, fmt.Errorf("a %q is in it, and not only certificates", block.Type)
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return roots, err
		}
		empty = false
		if cert.CheckSignatureFrom(cert) == nil {
			m.roots.AddCert(cert)
			roots++
		} else {
			m.between.AddCert(cert)
		}
	}
	if empty {
		return roots, errors.New("no certificate in PEM is in it")
	}
	return roots, nil
}

// issued reports why cert is not from one of the makers.
func (m Makers) issued(cert *x509.Certificate, now time.Time) error {
	if m.roots == nil {
		return ErrNone
	}
	if cert.IsCA {
		return errSubject
	}
	_, err := cert.Verify(x509.VerifyOptions{
		Roots: m.roots, Intermediates: m.between, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("the attestation is of no maker in %s: %w", Dir, err)
	}
	return nil
}
