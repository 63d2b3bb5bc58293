package settings_test

import (
	"os"
	"testing"

	"latchkey/pam/fleet/fleetd/settings"
	"latchkey/pam/testroot"
	"latchkey/sshd/fleet/certs"
)

// What was parsed before stands for a file only as long as the file is the same.
func TestCertificateThatWasReplacedCountsAtOnce(t *testing.T) {
	root := testroot.New(t)
	s := settings.Settings{Root: string(root), TLSCert: "/var/lib/tls.crt", TLSKey: "/var/lib/tls.key"}
	authority, err := certs.New("test")
	testroot.Must(t, err)
	next := func() {
		t.Helper()
		pair, err := authority.Issue(certs.Wanted{Name: "mfa1"})
		testroot.Must(t, err)
		testroot.Must(t, os.WriteFile(root.Join(s.TLSCert), pair.Certificate, 0o644))
		testroot.Must(t, os.WriteFile(root.Join(s.TLSKey), pair.Key, 0o600))
	}
	next()
	pairs := s.Pairs()
	first, err := pairs()
	testroot.Must(t, err)
	if again, err := pairs(); err != nil || again != first {
		t.Errorf("the same file: got %p, %v; want the certificate %p", again, err, first)
	}
	next()
	second, err := pairs()
	if err != nil || second.Leaf.Equal(first.Leaf) {
		t.Errorf("got the certificate that was replaced, %v", err)
	}
	testroot.Must(t, os.WriteFile(root.Join(s.TLSKey), []byte("damaged"), 0o600))
	if got, err := pairs(); err == nil {
		t.Errorf("with a damaged key: got %p, want an error", got)
	}
	testroot.Must(t, os.Remove(root.Join(s.TLSKey)))
	if got, err := pairs(); err == nil {
		t.Errorf("without a key: got %p, want an error", got)
	}
}
