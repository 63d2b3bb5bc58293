package attestation

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"latchkey/pam/sshkey"
)

// Flags of authenticator data, WebAuthn section 6.1.
const (
	userPresent = 1 << 0
	hasKey      = 1 << 6
	hasMore     = 1 << 7
)

// credential is the key that authenticator data is about.
type credential struct {
	model  []byte // AAGUID; zeros: a U2F key, which has none
	handle []byte
	point  []byte // of an ECDSA key, uncompressed
	hash   []byte // of the application
}

// about is what the statement says of key. It must be that very key, for the same application, and
// its owner must have touched it. CTAP 2 section 6 has the one encoding that a public key has, so
// what is expected is written down and compared, and nothing of the other is interpreted.
func (s statement) about(key sshkey.Key) (c credential, err error) {
	r := reader{s.authenticator}
	c.hash = r.take(32)
	flags, counter := r.take(1), r.take(4)
	c.model = r.take(16)
	c.handle = r.take(number(r.take(2)))
	if r.rest == nil || counter == nil || flags[0]&hasKey == 0 {
		return c, errForm
	}
	public, point := cose(key)
	c.point = point
	switch {
	case public == nil || !bytes.HasPrefix(r.rest, public),
		!bytes.Equal(c.hash, hash([]byte(key.Application()))):
		return c, errOther
	case len(r.rest) > len(public) && flags[0]&hasMore == 0:
		return c, errForm
	case flags[0]&userPresent == 0:
		return c, errUntouched
	}
	return c, nil
}

// cose is a public key as an authenticator encodes it (RFC 9053 section 7), nil if no
// authenticator has keys of its type, and the point of an ECDSA key.
func cose(key sshkey.Key) (encoded, point []byte) {
	r := reader{[]byte(key.Blob)}
	r.bytes() // the type
	switch key.Type {
	case sshkey.SKEd25519: // kty 1, alg -8, crv 6
		return append([]byte("\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20"), r.bytes()...), nil
	case sshkey.SKECDSA: // kty 2, alg -7, crv 1
		r.bytes() // the curve
		point = r.bytes()
		encoded = append([]byte("\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20"), point[1:33]...)
		return append(append(encoded, "\x22\x58\x20"...), point[33:]...), point
	}
	return nil, nil
}

// signedBy reports why cert's key did not sign the statement: FIDO2 keys sign in the format
// "packed" (WebAuthn section 8.2), U2F keys as section 8.6 says.
func (c credential) signedBy(cert *x509.Certificate, s statement, challenge []byte) error {
	if u2f := bytes.Equal(c.model, make([]byte, 16)); u2f && c.point != nil {
		signed := slices.Concat([]byte{0}, c.hash, hash(challenge), c.handle, c.point)
		if signs(cert, signed, s.signature) {
			return nil
		}
	}
	if !signs(cert, slices.Concat(s.authenticator, hash(challenge)), s.signature) {
		return errSignature
	}
	if !c.kind(cert) {
		return errSubject
	}
	return nil
}

// signs reports whether cert's key has signed text.
func signs(cert *x509.Certificate, text, signature []byte) bool {
	algorithm := x509.UnknownSignatureAlgorithm
	switch cert.PublicKey.(type) {
	case *ecdsa.PublicKey:
		algorithm = x509.ECDSAWithSHA256
	case *rsa.PublicKey:
		algorithm = x509.SHA256WithRSA
	case ed25519.PublicKey:
		algorithm = x509.PureEd25519
	}
	return cert.CheckSignature(algorithm, text, signature) == nil
}

// modelExtension says for which model of security key a certificate is: id-fido-gen-ce-aaguid.
var modelExtension = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 45724, 1, 1, 4}

// kind reports whether cert is one for attestations by this model (WebAuthn section 8.2.1). A
// maker may issue others below the same root, for keys that their owner can sign anything with.
func (c credential) kind(cert *x509.Certificate) bool {
	const unit = "Authenticator Attestation"
	if cert.Version != 3 || !slices.Contains(cert.Subject.OrganizationalUnit, unit) {
		return false
	}
	for _, e := range cert.Extensions {
		var model []byte
		if e.Id.Equal(modelExtension) {
			rest, err := asn1.Unmarshal(e.Value, &model)
			return err == nil && len(rest) == 0 && bytes.Equal(model, c.model)
		}
	}
	return true
}
