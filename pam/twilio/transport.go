package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"latchkey/pam/twilio/access"
	"latchkey/pam/twilio/protocol"
)

// connectTimeout bounds each step of connecting, so that a host that is down is told from one that
// is slow; the request's deadline bounds all of them.
const connectTimeout = 5 * time.Second

// newTransport makes one connection for one request. Only the settings have a say: no proxy comes
// from the environment.
func newTransport(s access.Settings) (*http.Transport, error) {
	roots, err := authorities(s.CA)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: connectTimeout}
	t := &http.Transport{
		DialContext:            dialer.DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout:    connectTimeout,
		ResponseHeaderTimeout:  protocol.MaxTimeout,
		MaxResponseHeaderBytes: 64 << 10,
		// no HTTP/2
		TLSNextProto:       map[string]func(string, *tls.Conn) http.RoundTripper{},
		DisableKeepAlives:  true,
		DisableCompression: true,
	}
	if s.Proxy == "" {
		return t, nil
	}
	proxy, err := url.Parse(s.Proxy)
	t.Proxy = http.ProxyURL(proxy)
	return t, err
}

// authorities are the only ones that count, or nil, which is the system's.
func authorities(text string) (*x509.CertPool, error) {
	if text == "" {
		return nil, nil
	}
	pool, rest := x509.NewCertPool(), []byte(text)
	for n := 1; ; n++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return pool, nil
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("ca_file: certificate %d cannot be parsed", n)
		}
		pool.AddCert(certificate)
	}
}
