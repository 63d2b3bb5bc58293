// Package backup keeps a host's users and policy in one encrypted file, and restores them.
//
// The file is one of age (age-encryption.org/v1). What it seals is a tar archive, so that it can
// be looked into with age(1) and tar(1):
//
//	manifest.json        format, version of enroll, host, time, and how many of what follows
//	key                  the host key that the records are sealed with
//	files/NAME           latchkey.toml, twilio.toml, certificates (*.pem, *.crt)
//	files/attestation.d/NAME
//	users/NAME/record    as FORMAT.md of pam/record has it
//	users/NAME/state     one slot, as FORMAT.md of pam/state has it, without the zeros at its end
//
// Reading is strict: what is not of this form, too long, there twice or too few restores nothing.
// At most a few hundred users are in memory at a time. So the host's files are read twice to
// write a backup, first to know how many users can be read, and a backup is read twice to be
// restored, first to its end, before anything is changed.
package backup

import (
	"path"
	"strings"
	"time"

	"latchkey/pam/record"
)

// Backup is what is in the file, without its users.
type Backup struct {
	Manifest
	Key   []byte // the content of the key file
	Files []File
}

// Manifest says what the file has.
type Manifest struct {
	Format  int       `json:"format"`
	Version string    `json:"version"` // of enroll
	Host    string    `json:"host"`
	Created time.Time `json:"created"`
	Users   int       `json:"users"`
	Files   int       `json:"files"`
}

// User is one user's record and state, each encoded.
type User struct {
	Name          string
	Record, State []byte
}

// File is one of /etc/latchkey.
type File struct {
	Name string // below it
	Text []byte
}

// format is the version of the archive.
const format = 1

// Bounds, in bytes and in number.
const (
	maxText  = 1 << 20
	maxUsers = 2_000_000
	maxFiles = 1000
)

// The files that count of /etc/latchkey.
const (
	policyFile   = "latchkey.toml"
	twilioFile   = "twilio.toml"
	attestations = "attestation.d"
)

// belongs reports whether a file of /etc/latchkey is one that a backup may have. A fleet's are
// not: a host joins it by itself.
func belongs(name string) bool {
	dir, base := path.Split(name)
	switch {
	case record.CheckName(base) != nil:
		return false
	case dir == attestations+"/":
		return true
	case dir != "" || strings.HasPrefix(base, "fleet"):
		return false
	}
	ext := path.Ext(base)
	return base == policyFile || base == twilioFile || ext == ".pem" || ext == ".crt"
}
