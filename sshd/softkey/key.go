// Package softkey is a security key made of software, for tests and demonstrations: it signs as
// OpenSSH's PROTOCOL.u2f says, and nothing has to be touched. It shows why the type of an SSH key
// proves nothing.
package softkey

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"io"
	"math/big"
	"slices"

	"golang.org/x/crypto/ssh"
)

// What a signature can say that its owner did.
const (
	Touched  = 1 << 0
	Verified = 1 << 2 // typed a PIN, or showed a finger
)

// Key is a software security key. It is an ssh.Signer.
type Key struct {
	Did     byte   // what its signatures say: Touched, Verified
	Browser string // the origin of a web page that signs; empty: none does

	application string
	edwards     ed25519.PrivateKey
	nist        *ecdsa.PrivateKey
	blob        []byte
	counter     uint32
}

// Types of its keys.
const (
	Ed25519  = "sk-ssh-ed25519@openssh.com"
	ECDSA    = "sk-ecdsa-sha2-nistp256@openssh.com"
	webAuthn = "webauthn-sk-ecdsa-sha2-nistp256@openssh.com"
)

// NewEd25519 makes a key that says in each signature that it was touched.
func NewEd25519() (*Key, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	k := &Key{Did: Touched, application: "ssh:", edwards: private}
	k.blob = ssh.Marshal(struct {
		Type        string
		Public      []byte
		Application string
	}{Ed25519, public, k.application})
	return k, err
}

// NewECDSA is NewEd25519 with the algorithm that every security key has.
func NewECDSA() (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	point, err := private.PublicKey.Bytes()
	k := &Key{Did: Touched, application: "ssh:", nist: private}
	k.blob = ssh.Marshal(struct {
		Type, Curve string
		Point       []byte
		Application string
	}{ECDSA, "nistp256", point, k.application})
	return k, err
}

// public is the key as ssh.PublicKey; x/crypto/ssh can only verify with its own.
type public struct {
	ssh.PublicKey
	typ string
}

// Type implements ssh.PublicKey. It is also the name of the signatures.
func (p public) Type() string { return p.typ }

// PublicKey implements ssh.Signer.
func (k *Key) PublicKey() ssh.PublicKey {
	key, err := ssh.ParsePublicKey(k.blob)
	if err != nil {
		panic(err) // it is of our own making
	}
	if k.Browser != "" {
		return public{key, webAuthn}
	}
	return key
}

// Line returns the key's line in authorized_keys.
func (k *Key) Line() string {
	key, _, _ := cutType(k.blob)
	return key + " " + base64.StdEncoding.EncodeToString(k.blob)
}

func cutType(blob []byte) (typ string, rest []byte, ok bool) {
	var head struct {
		Type string
		Rest []byte `ssh:"rest"`
	}
	err := ssh.Unmarshal(blob, &head)
	return head.Type, head.Rest, err == nil
}

// Sign implements ssh.Signer.
func (k *Key) Sign(_ io.Reader, data []byte) (*ssh.Signature, error) {
	k.counter++
	said := binary.BigEndian.AppendUint32([]byte{k.Did}, k.counter)
	if k.Browser != "" {
		return k.signInBrowser(said, data)
	}
	blob, err := k.sign(said, data)
	typ, _, _ := cutType(k.blob)
	return &ssh.Signature{Format: typ, Blob: blob, Rest: said}, err
}

// sign signs what the authenticator says, and the hash of data.
func (k *Key) sign(said, data []byte) ([]byte, error) {
	application, message := sha256.Sum256([]byte(k.application)), sha256.Sum256(data)
	signed := slices.Concat(application[:], said, message[:])
	if k.edwards != nil {
		return ed25519.Sign(k.edwards, signed), nil
	}
	sum := sha256.Sum256(signed)
	r, s, err := ecdsa.Sign(rand.Reader, k.nist, sum[:])
	return ssh.Marshal(struct{ R, S *big.Int }{r, s}), err
}

// signInBrowser signs as navigator.credentials.get does.
func (k *Key) signInBrowser(said, data []byte) (*ssh.Signature, error) {
	client := `{"type":"webauthn.get","challenge":"` + base64.RawURLEncoding.EncodeToString(data) +
		`","origin":"` + k.Browser + `","crossOrigin":false}`
	blob, err := k.sign(said, []byte(client))
	rest := ssh.Marshal(struct{ Origin, Client, Extensions string }{k.Browser, client, ""})
	return &ssh.Signature{Format: webAuthn, Blob: blob, Rest: append(said, rest...)}, err
}

// Certified is the same key with a certificate that authority signs for a user, with extensions.
func (k *Key) Certified(authority ssh.Signer, user string, serial uint64,
	extensions ...string) (ssh.Signer, error) {
	c := &ssh.Certificate{
		Key: k.PublicKey(), Serial: serial, CertType: ssh.UserCert, KeyId: user,
		ValidPrincipals: []string{user}, ValidBefore: ssh.CertTimeInfinity,
		Permissions: ssh.Permissions{Extensions: map[string]string{}},
	}
	for _, e := range extensions {
		c.Extensions[e] = ""
	}
	if err := c.SignCert(rand.Reader, authority); err != nil {
		return nil, err
	}
	return ssh.NewCertSigner(c, k)
}

// Disguised offers the key's own blob and signatures as those of another type.
func (k *Key) Disguised(typ string) ssh.Signer { return disguised{k, typ} }

type disguised struct {
	*Key
	typ string
}

func (d disguised) PublicKey() ssh.PublicKey { return public{d.Key.PublicKey(), d.typ} }

func (d disguised) Sign(random io.Reader, data []byte) (*ssh.Signature, error) {
	s, err := d.Key.Sign(random, data)
	s.Format = d.typ
	return s, err
}
