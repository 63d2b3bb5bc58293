package sshkey_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"latchkey/pam/sshkey"
	"latchkey/pam/testroot"
)

// text is a field of a key.
func text(fields ...string) (blob []byte) {
	for _, f := range fields {
		blob = append(blob, ssh.Marshal(struct{ S string }{f})...)
	}
	return blob
}

// plain makes a key of every type that OpenSSH accepts.
func plain(t testing.TB) map[string]ssh.PublicKey {
	t.Helper()
	keys := map[string]ssh.PublicKey{}
	add := func(public crypto.PublicKey, err error) {
		testroot.Must(t, err)
		key, err := ssh.NewPublicKey(public)
		testroot.Must(t, err)
		keys[key.Type()] = key
	}
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	testroot.Must(t, err)
	add(&private.PublicKey, nil)
	ed, _, err := ed25519.GenerateKey(rand.Reader)
	add(ed, err)
	var point []byte
	for _, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		k, err := ecdsa.GenerateKey(curve, rand.Reader)
		testroot.Must(t, err)
		add(&k.PublicKey, nil)
		if curve == elliptic.P256() {
			point, err = k.PublicKey.Bytes()
			testroot.Must(t, err)
		}
	}
	for _, blob := range [][]byte{
		text(sshkey.SKEd25519, string(ed), "ssh:"),
		text(sshkey.SKECDSA, "nistp256", string(point), "ssh:"),
	} {
		key, err := ssh.ParsePublicKey(blob)
		testroot.Must(t, err)
		keys[key.Type()] = key
	}
	return keys
}

// certified returns a certificate of a key.
func certified(t testing.TB, key ssh.PublicKey, kind uint32) ssh.PublicKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	testroot.Must(t, err)
	authority, err := ssh.NewSignerFromKey(private)
	testroot.Must(t, err)
	c := &ssh.Certificate{
		Key: key, Serial: 7, CertType: kind, KeyId: "alice",
		ValidPrincipals: []string{"alice", "al"},
		ValidBefore:     ssh.CertTimeInfinity,
		Permissions:     ssh.Permissions{Extensions: map[string]string{"permit-pty": ""}},
	}
	testroot.Must(t, c.SignCert(rand.Reader, authority))
	return c
}

func line(key ssh.PublicKey) string {
	return strings.TrimSuffix(string(ssh.MarshalAuthorizedKey(key)), "\n")
}

func TestEveryTypeOfKeyIsReadAndItsCertificateIsTheKeyInside(t *testing.T) {
	for typ, key := range plain(t) {
		for name, text := range map[string]string{
			"plain": line(key), "with a comment": line(key) + " alice@host",
			"with a count": line(key) + " signature count = 5",
			"certificate":  line(certified(t, key, ssh.UserCert)),
		} {
			got, err := sshkey.Parse(text)
			testroot.Must(t, err)
			if got.Type != typ || got.Blob != string(key.Marshal()) ||
				got.Fingerprint() != ssh.FingerprintSHA256(key) {
				t.Errorf("%s %s: got %q, want %s", name, typ, got, line(key))
			}
			want := strings.HasPrefix(typ, "sk-")
			if got.OnSecurityKey() != want || (got.Application() == "ssh:") != want {
				t.Errorf("%s: got on a security key %v, for %q", typ, got.OnSecurityKey(),
					got.Application())
			}
		}
	}
}

func TestSSHDsLinesGiveTheKeysOfMethodPublickeyOnly(t *testing.T) {
	keys := plain(t)
	one, two := line(keys[sshkey.SKEd25519]), line(keys[sshkey.SKECDSA])
	for info, want := range map[string][]string{
		"":                              nil,
		"publickey " + one + "\n":       {one},
		"publickey " + one:              {one},
		"password\npublickey " + one:    {one},
		"publickey " + one + " extra\n": {one},
		"publickey " + one + "\nkeyboard-interactive/pam\npublickey " + two + "\n": {one, two},
		"publickey damaged\npublickey " + two + "\n":                               {two},
		"hostbased " + one + "\n":                                                  nil,
		"keyboard-interactive/pam " + one + "\n":                                   nil,
		"publickey/x " + one + "\n":                                                nil,
		"publickey\t" + one + "\n":                                                 nil,
		"publickey  " + one + "\n":                                                 nil,
		" publickey " + one + "\n":                                                 nil,
		"Publickey " + one + "\n":                                                  nil,
		"gssapi-with-mic publickey " + one + "\n":                                  nil,
		"publickey " + one[:len(one)-4] + "\n":                                     nil,
		"publickey\n" + one + "\n":                                                 nil,
		one + "\n":                                                                 nil,
	} {
		var got []string
		for _, key := range sshkey.Accepted(info) {
			got = append(got, key.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", info, got, want)
		}
	}
}

func TestABlobIsOnlyReadAsTheTypeThatStandsInFrontOfIt(t *testing.T) {
	keys := plain(t)
	for typ, key := range keys {
		blob := base64.StdEncoding.EncodeToString(key.Marshal())
		for other := range keys {
			if _, err := sshkey.Parse(other + " " + blob); (err == nil) != (other == typ) {
				t.Errorf("a key of type %s said to be %s: got %v", typ, other, err)
			}
			if got, err := sshkey.Parse(certType(other) + " " + blob); err == nil {
				t.Errorf("a key of type %s said to be a certificate of %s: got %s", typ,
					other, got)
			}
		}
	}
}

func certType(typ string) string {
	name, _ := strings.CutSuffix(typ, "@openssh.com")
	return name + "-cert-v01@openssh.com"
}

// A public key of a browser has the name of its signatures; OpenSSH takes it for the key it is.
func TestAKeyThatIsNamedAfterItsSignaturesIsTheKeyItself(t *testing.T) {
	key := plain(t)[sshkey.SKECDSA]
	const browsers = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"
	whole := bytes.Replace(key.Marshal(), text(sshkey.SKECDSA), text(browsers), 1)
	for _, blob := range [][]byte{key.Marshal(), whole} {
		got, err := sshkey.Parse(browsers + " " + base64.StdEncoding.EncodeToString(blob))
		testroot.Must(t, err)
		if got.Blob != string(key.Marshal()) || got.Type != sshkey.SKECDSA {
			t.Errorf("got %s, want %s", got, line(key))
		}
	}
}

func TestADamagedKeyOrCertificateIsRefused(t *testing.T) {
	for typ, key := range plain(t) {
		for _, whole := range []ssh.PublicKey{key, certified(t, key, ssh.UserCert)} {
			blob := string(whole.Marshal())
			for n := range blob {
				if got, err := sshkey.FromBlob(whole.Type(), blob[:n]); err == nil {
					t.Fatalf("%s cut to %d bytes: got %s", typ, n, got)
				}
			}
			if got, err := sshkey.FromBlob(whole.Type(), blob+"\x00"); err == nil {
				t.Errorf("%s and one byte more: got %s", typ, got)
			}
		}
		if got, err := sshkey.Parse(line(certified(t, key, ssh.HostCert))); err == nil {
			t.Errorf("a host's certificate of %s: got %s", typ, got)
		}
	}
}

func TestUnsoundKeyIsRefused(t *testing.T) {
	point, long := "\x04"+strings.Repeat("x", 64), strings.Repeat("x", 32)
	for what, blob := range map[string][]byte{
		"an unknown type":            text("ssh-new", long),
		"an unknown certificate":     text("ssh-new-cert-v01@openssh.com", long),
		"a short ed25519 key":        text("ssh-ed25519", long[1:]),
		"a short security key":       text(sshkey.SKEd25519, long[1:], "ssh:"),
		"one for nothing":            text(sshkey.SKEd25519, long, ""),
		"an ECDSA one for nothing":   text(sshkey.SKECDSA, "nistp256", point, ""),
		"one of another curve":       text(sshkey.SKECDSA, "nistp384", point, "ssh:"),
		"a compressed point":         text(sshkey.SKECDSA, "nistp256", "\x02"+point[1:], "ssh:"),
		"a short point":              text(sshkey.SKECDSA, "nistp256", point[:64], "ssh:"),
		"a plain key of other curve": text("ecdsa-sha2-nistp256", "nistp384", point),
		"an RSA key of nothing":      text("ssh-rsa", "", ""),
		"no type":                    text("", long),
	} {
		typ := string(blob[4 : 4+blob[3]])
		if got, err := sshkey.FromBlob(typ, string(blob)); err == nil {
			t.Errorf("%s: got %s", what, got)
		}
	}
}

func FuzzAccepted(f *testing.F) {
	for _, key := range plain(f) {
		f.Add("publickey " + line(key) + "\n")
		f.Add("password\npublickey " + line(certified(f, key, ssh.UserCert)) + "\n")
	}
	f.Fuzz(func(t *testing.T, info string) {
		for _, key := range sshkey.Accepted(info) {
			again, err := sshkey.Parse(key.String())
			if err != nil || again != key {
				t.Fatalf("got %s, and then %s, %v", key, again, err)
			}
			if !strings.Contains(info, "publickey ") {
				t.Fatalf("got %s of no line about a key", key)
			}
		}
	})
}

// x/crypto/ssh must read the same key wherever both read one.
func FuzzFromBlobAgreesWithAnotherReader(f *testing.F) {
	for _, key := range plain(f) {
		f.Add(key.Marshal())
		f.Add(certified(f, key, ssh.UserCert).Marshal())
	}
	f.Fuzz(func(t *testing.T, blob []byte) {
		want, err := ssh.ParsePublicKey(blob)
		if err != nil {
			return
		}
		got, err := sshkey.FromBlob(want.Type(), string(blob))
		if err != nil {
			return // this one is stricter
		}
		if c, ok := want.(*ssh.Certificate); ok {
			want = c.Key
		}
		if got.Type != want.Type() || got.Blob != string(want.Marshal()) {
			t.Errorf("got %s, want %s", got, line(want))
		}
	})
}
