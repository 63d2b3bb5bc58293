package main

import (
	"crypto/x509"
	"testing"

	"latchkey/pam/twilio/access"
	"latchkey/pam/twilio/standin"
)

func TestOnlyTheSettingsDecideTheRoute(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://proxy.example:3128")
	direct, err := newTransport(access.Settings{})
	if err != nil || direct.Proxy != nil || direct.TLSClientConfig.RootCAs != nil {
		t.Errorf("%v, %+v", err, direct)
	}
}

func TestAuthoritiesOfTheSettingsAreTheOnlyOnes(t *testing.T) {
	s, err := standin.Start(standin.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := x509.NewCertPool()
	want.AppendCertsFromPEM([]byte(s.Settings().CA))
	if got, err := authorities(s.Settings().CA); err != nil || !got.Equal(want) {
		t.Errorf("%v, %v", err, got)
	}
}
