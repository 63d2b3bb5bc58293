package softkey

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"encoding/pem"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/ssh"
)

// Maker makes security keys and attests that they are: a root, and a certificate for one model.
type Maker struct {
	Root        []byte // in PEM
	Between     []byte // a certificate between the root and the model's, in PEM; none if empty
	Certificate []byte // the model's, in DER
	model       [16]byte
	key         *ecdsa.PrivateKey
}

// modelExtension is id-fido-gen-ce-aaguid.
var modelExtension = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 4}

// Model changes what a maker's certificate for a model says.
type Model func(*x509.Certificate)

// NewMaker returns a maker whose certificates are valid from a day before now to ten years after
// it.
func NewMaker(now time.Time, model Model) (*Maker, error) {
	m := &Maker{model: [16]byte([]byte("latchkey's model"))}
	from, until := now.AddDate(0, 0, -1), now.AddDate(10, 0, 0)
	root, err := newKey()
	if err != nil {
		return nil, err
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example Root"},
		NotBefore: from, NotAfter: until, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, authority, authority, &root.PublicKey, root)
	if err != nil {
		return nil, err
	}
	m.Root = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if m.key, err = newKey(); err != nil {
		return nil, err
	}
	id, err := asn1.Marshal(m.model[:])
	if err != nil {
		return nil, err
	}
	cert := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: from, NotAfter: until, BasicConstraintsValid: true,
		Subject: pkix.Name{Country: []string{"SE"}, Organization: []string{"Example"},
			OrganizationalUnit: []string{"Authenticator Attestation"}, CommonName: "Example Key"},
		ExtraExtensions: []pkix.Extension{{Id: modelExtension, Value: id}},
	}
	if model != nil {
		model(cert)
	}
	m.Certificate, err = x509.CreateCertificate(rand.Reader, cert, authority,
		&m.key.PublicKey, root)
	return m, err
}

func newKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }

// Attest returns what ssh-keygen -O write-attestation writes about a key that was made with a
// challenge.
func (m *Maker) Attest(k *Key, challenge []byte) ([]byte, error) {
	data := m.authenticatorData(k)
	hash := sha256.Sum256(challenge)
	return m.file(data, slices.Concat(data, hash[:]))
}

// AttestU2F is Attest for a security key from before FIDO2. It has no model and signs differently.
func (m *Maker) AttestU2F(k *Key, challenge []byte) ([]byte, error) {
	old := *m
	old.model = [16]byte{}
	point, err := k.nist.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	application, hash := sha256.Sum256([]byte(k.application)), sha256.Sum256(challenge)
	signed := slices.Concat([]byte{0}, application[:], hash[:], handle, point)
	return m.file(old.authenticatorData(k), signed)
}

// handle is the authenticator's name for a key.
var handle = []byte("a handle of thirty-two bytes ...")

// authenticatorData is that of WebAuthn section 6.1, for a new key.
func (m *Maker) authenticatorData(k *Key) []byte {
	application := sha256.Sum256([]byte(k.application))
	const withKey = 1 << 6
	said := append(application[:], k.Did|withKey)
	said = binary.BigEndian.AppendUint32(said, k.counter)
	said = append(said, m.model[:]...)
	said = append(binary.BigEndian.AppendUint16(said, uint16(len(handle))), handle...)
	return append(said, k.cose()...)
}

// cose returns the public key as RFC 9052 has it.
func (k *Key) cose() []byte {
	if k.edwards != nil {
		public := k.edwards.Public().(ed25519.PublicKey)
		return append([]byte("\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20"), public...)
	}
	point, _ := k.nist.PublicKey.Bytes()
	return slices.Concat([]byte("\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"), point[1:33],
		[]byte("\x22\x58\x20"), point[33:])
}

// file returns the file of PROTOCOL.u2f, with a signature of signed.
func (m *Maker) file(authenticatorData, signed []byte) ([]byte, error) {
	sum := sha256.Sum256(signed)
	signature, err := ecdsa.SignASN1(rand.Reader, m.key, sum[:])
	var encoded bytes.Buffer // CBOR
	encoded.Write([]byte{0x58, byte(len(authenticatorData))})
	encoded.Write(authenticatorData)
	return ssh.Marshal(struct {
		Magic                  string
		Certificate, Signature []byte
		AuthenticatorData      []byte
		Flags                  uint32
		Reserved               string
	}{"ssh-sk-attest-v01", m.Certificate, signature, encoded.Bytes(), 0, ""}), err
}
