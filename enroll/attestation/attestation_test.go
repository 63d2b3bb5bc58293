package attestation_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"strings"
	"testing"

	"latchkey/enroll/attestation"
	"latchkey/pam/sshkey"
	"latchkey/pam/testroot"
	"latchkey/sshd/softkey"
)

var challenge = []byte("thirty-two bytes from an office.")

// believing is a host that believes these certificates.
func believing(t testing.TB, certificates ...[]byte) attestation.Makers {
	t.Helper()
	root := testroot.New(t)
	testroot.Must(t, os.MkdirAll(root.Join(attestation.Dir), 0o755))
	for i, c := range certificates {
		name := string(rune('a'+i)) + ".pem"
		testroot.Must(t, os.WriteFile(root.Join(attestation.Dir+"/"+name), c, 0o644))
	}
	m, err := attestation.Load(string(root))
	testroot.Must(t, err)
	return m
}

func maker(t testing.TB, model softkey.Model) *softkey.Maker {
	t.Helper()
	m, err := softkey.NewMaker(testroot.Noon, model)
	testroot.Must(t, err)
	return m
}

func newKey(t testing.TB, make func() (*softkey.Key, error)) (*softkey.Key, sshkey.Key) {
	t.Helper()
	k, err := make()
	testroot.Must(t, err)
	public, err := sshkey.Parse(k.Line())
	testroot.Must(t, err)
	return k, public
}

func attest(t testing.TB, m *softkey.Maker, k *softkey.Key) []byte {
	t.Helper()
	text, err := m.Attest(k, challenge)
	testroot.Must(t, err)
	return text
}

func TestAKeyThatItsMakerAttestsIsBelieved(t *testing.T) {
	m := maker(t, nil)
	makers := believing(t, m.Root)
	for _, kind := range []func() (*softkey.Key, error){softkey.NewEd25519, softkey.NewECDSA} {
		k, public := newKey(t, kind)
		if err := makers.Check(attest(t, m, k), challenge, public, testroot.Noon); err != nil {
			t.Errorf("%s: got %v", public.Type, err)
		}
	}
	k, public := newKey(t, softkey.NewECDSA)
	text, err := m.AttestU2F(k, challenge)
	testroot.Must(t, err)
	if err := makers.Check(text, challenge, public, testroot.Noon); err != nil {
		t.Errorf("a U2F key: got %v", err)
	}
}

func TestAnAttestationOfAnythingElseIsRefused(t *testing.T) {
	m, stranger := maker(t, nil), maker(t, nil)
	makers := believing(t, m.Root)
	k, public := newKey(t, softkey.NewEd25519)
	_, other := newKey(t, softkey.NewEd25519)
	_, otherKind := newKey(t, softkey.NewECDSA)
	good := attest(t, m, k)
	untouched := *k
	untouched.Did = 0
	elsewhere, err := sshkey.Decode(strings.Replace(public.Blob, "ssh:", "ssh;", 1))
	testroot.Must(t, err)
	changed := func(old, new string) []byte {
		return bytes.Replace(good, []byte(old), []byte(new), 1)
	}
	model := bytes.Clone(good) // stands in the certificate, and then in what it signs
	model[bytes.LastIndex(model, []byte("latchkey's model"))] ^= 1
	for name, c := range map[string]struct {
		text, challenge []byte
		key             sshkey.Key
		says            string
	}{
		"another key":           {good, challenge, other, "another key"},
		"a key of another type": {good, challenge, otherKind, "another key"},
		"for another purpose":   {good, challenge, elsewhere, "another key"},
		"another challenge": {good, challenge[1:], public,
			"did not sign this key with this challenge"},
		"no challenge":         {good, nil, public, "did not sign this key with this challenge"},
		"a maker not believed": {attest(t, stranger, k), challenge, public, "of no maker in"},
		"without a touch":      {attest(t, m, &untouched), challenge, public, "without a touch"},
		"another handle": {changed("a handle", "A handle"), challenge, public,
			"did not sign this key with this challenge"},
		"another certificate": {changed("latchkey's model", "latchkey's Model"), challenge,
			public, "this kind of security key"},
		"another model": {model, challenge, public,
			"did not sign this key with this challenge"},
		"of an old OpenSSH": {changed("attest-v01", "attest-v00"), challenge, public,
			"OpenSSH before 8.4"},
		"of another format": {changed("attest-v01", "attest-v02"), challenge, public,
			"not an attestation"},
		"nothing": {nil, challenge, public, "not an attestation"},
		"a byte more": {append(bytes.Clone(good), 0), challenge, public,
			"not an attestation"},
		"the public key instead": {[]byte(k.Line()), challenge, public, "not an attestation"},
	} {
		err := makers.Check(c.text, c.challenge, c.key, testroot.Noon)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want an error that says %q", name, err, c.says)
		}
	}
	for n := range good {
		if makers.Check(good[:n], challenge, public, testroot.Noon) == nil {
			t.Fatalf("got that %d of %d bytes are an attestation", n, len(good))
		}
	}
}

func TestACertificateOfAnotherKindAttestsNothing(t *testing.T) {
	for name, model := range map[string]softkey.Model{
		"of another use": func(c *x509.Certificate) {
			c.Subject.OrganizationalUnit = []string{"PIV Attestation"}
		},
		"of no use":        func(c *x509.Certificate) { c.Subject.OrganizationalUnit = nil },
		"of an authority":  func(c *x509.Certificate) { c.IsCA = true },
		"of another model": func(c *x509.Certificate) { c.ExtraExtensions[0].Value[4] ^= 1 },
		"of a malformed one": func(c *x509.Certificate) {
			c.ExtraExtensions[0].Value = []byte{4, 1}
		},
		"that has ended": func(c *x509.Certificate) {
			c.NotAfter = testroot.Noon.AddDate(0, 0, -1)
			c.NotBefore = c.NotAfter.AddDate(0, 0, -1)
		},
		"that has not begun": func(c *x509.Certificate) {
			c.NotBefore = testroot.Noon.AddDate(0, 0, 1)
		},
	} {
		m := maker(t, model)
		k, public := newKey(t, softkey.NewEd25519)
		if err := believing(t, m.Root).Check(attest(t, m, k), challenge, public,
			testroot.Noon); err == nil {
			t.Errorf("a certificate %s: got that the key is believed", name)
		}
	}
	m := maker(t, func(c *x509.Certificate) { c.ExtraExtensions = nil })
	k, public := newKey(t, softkey.NewEd25519)
	if err := believing(t, m.Root).Check(attest(t, m, k), challenge, public,
		testroot.Noon); err != nil {
		t.Errorf("a certificate that names no model: got %v", err)
	}
}

// Without a file, or with one that anyone could have written, no key is believed.
func TestOnlyCertificatesOfRootsAreLoaded(t *testing.T) {
	m := maker(t, nil)
	leaf := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.Certificate})
	for name, c := range map[string]struct {
		file string
		text []byte
		mode os.FileMode
		says string
	}{
		"nothing":         {"", nil, 0, attestation.ErrNone.Error()},
		"another ending":  {"a.txt", m.Root, 0o644, attestation.ErrNone.Error()},
		"a hidden file":   {".a.pem", m.Root, 0o644, attestation.ErrNone.Error()},
		"no root":         {"a.pem", leaf, 0o644, attestation.ErrNone.Error()},
		"writable by all": {"a.pem", m.Root, 0o666, "mode 0666"},
		"no certificate":  {"a.pem", []byte("x"), 0o644, "a.pem: no certificate"},
		"a private key too": {"a.crt", append(m.Root, "-----BEGIN PRIVATE KEY-----\nAAAA\n"+
			"-----END PRIVATE KEY-----\n"...), 0o644, "PRIVATE KEY"},
		"a damaged one": {"a.pem",
			pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.Certificate[:50]}),
			0o644, "a.pem: x509"},
	} {
		root := testroot.New(t)
		testroot.Must(t, os.MkdirAll(root.Join(attestation.Dir), 0o755))
		if path := root.Join(attestation.Dir + "/" + c.file); c.file != "" {
			testroot.Must(t, os.WriteFile(path, c.text, 0o644))
			testroot.Must(t, os.Chmod(path, c.mode))
		}
		if _, err := attestation.Load(string(root)); err == nil ||
			!strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want an error that says %q", name, err, c.says)
		}
	}
	if _, err := attestation.Load(string(testroot.New(t))); !errors.Is(err, attestation.ErrNone) {
		t.Errorf("no directory: got %v, want %v", err, attestation.ErrNone)
	}
	k, public := newKey(t, softkey.NewEd25519)
	if err := (attestation.Makers{}).Check(attest(t, m, k), challenge, public,
		testroot.Noon); !errors.Is(err, attestation.ErrNone) {
		t.Errorf("zero Makers: got %v, want %v", err, attestation.ErrNone)
	}
}

func FuzzCheck(f *testing.F) {
	m := maker(f, nil)
	k, public := newKey(f, softkey.NewEd25519)
	makers, good := believing(f, m.Root), attest(f, m, k)
	f.Add(good)
	f.Add(good[:40])
	f.Fuzz(func(t *testing.T, text []byte) {
		if makers.Check(text, challenge, public, testroot.Noon) == nil &&
			!bytes.Equal(text, good) {
			t.Errorf("got that %q is an attestation", text)
		}
	})
}
