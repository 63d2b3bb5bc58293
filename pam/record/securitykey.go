package record

import (
	"errors"
	"fmt"

	"latchkey/pam/method"
	"latchkey/pam/sshkey"
)

// maxKey is the longest public key of a security key, in bytes. Only the name of its application
// has no fixed length, and that is usually "ssh:".
const maxKey = 1024

// ErrNotSecurityKey says that a public key is of a type that never lives on a security key.
var ErrNotSecurityKey = errors.New("not a security key's key")

// SSHKey returns a security key's public key. The error is for a device that is not a security
// key.
func (d *Device) SSHKey() (sshkey.Key, error) {
	public, err := sshkey.Decode(string(d.Secret))
	switch {
	case err != nil:
		return sshkey.Key{}, err
	case !public.OnSecurityKey():
		return sshkey.Key{}, fmt.Errorf("%w, but of type %s", ErrNotSecurityKey, public.Type)
	}
	return public, nil
}

// Fingerprint returns a security key's fingerprint; it is empty for other devices.
func (d *Device) Fingerprint() string {
	public, err := d.SSHKey()
	if d.Type != method.Key || err != nil {
		return ""
	}
	return public.Fingerprint()
}

func (d *Device) checkKey() error {
	if d.Algorithm != "" || d.Digits != 0 || d.Period != 0 {
		return errors.New("a security key has no algorithm, digits or period")
	}
	if len(d.Secret) > maxKey {
		return fmt.Errorf("a security key's public key has at most %d bytes", maxKey)
	}
	public, err := d.SSHKey()
	if err == nil && public.Blob != string(d.Secret) {
		return errors.New("the public key is not encoded as sshd does it")
	}
	return err
}
