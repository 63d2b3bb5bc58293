package testroot

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"testing"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/sshkey"
)

// SecurityKey returns a security key. Everything about it follows from its label; there is no
// private key.
func SecurityKey(t testing.TB, label string) record.Device {
	t.Helper()
	sum := sha256.Sum256([]byte("key " + label))
	key, err := sshkey.FromBlob(sshkey.SKEd25519,
		encoded(sshkey.SKEd25519, string(sum[:]), "ssh:"))
	Must(t, err)
	d := record.Device{Type: method.Key, Label: label, Created: Noon, Secret: []byte(key.Blob)}
	copy(d.ID[:], sum[20:])
	return d
}

// PlainKey returns the line of a public key that is kept in a file.
func PlainKey(t testing.TB, label string) string {
	t.Helper()
	sum := sha256.Sum256([]byte("plain " + label))
	key, err := sshkey.FromBlob("ssh-ed25519", encoded("ssh-ed25519", string(sum[:])))
	Must(t, err)
	return key.String()
}

// Line returns the line of a security key's public key.
func Line(t testing.TB, d record.Device) string {
	t.Helper()
	key, err := d.SSHKey()
	Must(t, err)
	return key.String()
}

// CertificateLine returns the line of a certificate of a security key. Its signature is invalid:
// sshd checks it, and nothing here does.
func CertificateLine(t testing.TB, d record.Device, serial uint64) string {
	t.Helper()
	const typ = "sk-ssh-ed25519-cert-v01@openssh.com"
	plain := string(d.Secret)[4+len(sshkey.SKEd25519):]
	number := binary.BigEndian.AppendUint64(nil, serial)
	blob := encoded(typ, "nonce") + plain + string(number) + "\x00\x00\x00\x01" +
		encoded(d.Label, encoded("alice")) + string(make([]byte, 16)) +
		encoded("", "", "", encoded("ssh-ed25519", string(make([]byte, 32))), "signature")
	return typ + " " + base64.StdEncoding.EncodeToString([]byte(blob))
}

func encoded(fields ...string) string {
	var all []byte
	for _, f := range fields {
		all = binary.BigEndian.AppendUint32(all, uint32(len(f)))
		all = append(all, f...)
	}
	return string(all)
}
