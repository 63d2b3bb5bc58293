package main_test

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"io"
)

func pemOf(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReader(r) }
