// Package settings reads /etc/latchkey/fleet.toml, which makes a host one of a fleet, and the key
// by which the fleet knows the host.
//
//	services    = ["https://mfa1:7443", "https://mfa2:7443"]
//	fleet_key   = "hpke1…"                       # seals questions
//	verify_key  = ["ed25519…"]                   # signs answers; two while one is being replaced
//	ca_file     = "/etc/latchkey/fleet-ca.pem"   # the only authorities that count
//	host        = "web1"                         # optional: this host's name in the fleet
//	unreachable = "deny"                         # deny | break-glass
//	break_glass = ["ops-alice"]                  # who may use a code of this host then
//
// The login program links this package, so it imports nothing of the network.
package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/safefile"
)

// Paths of a host in a fleet.
const (
	Path    = "/etc/latchkey/fleet.toml"
	CAPath  = "/etc/latchkey/fleet-ca.pem"
	KeyPath = "/var/lib/latchkey/fleet.key"
)

// Where the records of a host's own are, which let no one in once it is one of a fleet: those from
// before, and those of users who are being moved into the fleet.
const (
	OwnRecords    = "/etc/latchkey/users"
	MovingRecords = "/etc/latchkey/users.moving"
)

// HasOwn reports whether the host below root has a record of its own of a user. What cannot be told
// is that it has.
func HasOwn(root, user string) bool {
	return !absent(root+OwnRecords+"/"+user) || !absent(root+MovingRecords+"/"+user)
}

// Bounds of the files, in bytes.
const (
	maxFile = 16 << 10
	maxCA   = 32 << 10
	maxKey  = 256
)

// Settings are what a host knows of its fleet.
type Settings struct {
	Services  []string // https, a host, at most a port
	FleetKey  fleetkey.Sealing
	VerifyKey []fleetkey.Public
	CAFile    string
	CA        string // certificates in PEM
	Host      string // this host's name in the fleet
	// Unreachable is what happens while no service can be reached; only BreakGlass lets anyone in
	// then.
	Unreachable Unreachable
	BreakGlass  []string // users
	Key         fleetkey.Signing
}

// Unreachable is what a host does without its fleet. The zero value denies.
type Unreachable string

// The choices.
const (
	Deny       Unreachable = "deny"
	BreakGlass Unreachable = "break-glass"
)

// MayBreakGlass reports whether a user may log in with a code of this host while no service can be
// reached.
func (s *Settings) MayBreakGlass(user string) bool {
	return s.Unreachable == BreakGlass && slices.Contains(s.BreakGlass, user)
}

// Joining begins the names of files beside the host's key. While there is one, a join or a leave
// is under way or was killed, and the key does not make the host one of a fleet.
const Joining = "fleet.joining-"

// InFleet reports whether the host below root ("" but in tests) is one of a fleet: whether there
// is a fleet.toml, readable or not, or the key of a host that has joined and has lost it. Only
// files that are certainly not there make it a single host, which pays two system calls for the
// question.
func InFleet(root string) bool {
	return !absent(root+Path) || !absent(root+KeyPath) && !joining(root)
}

func absent(file string) bool {
	var st unix.Stat_t
	return errors.Is(unix.Lstat(file, &st), fs.ErrNotExist)
}

// joining reports whether a join or a leave has certainly not ended.
func joining(root string) bool {
	files, _ := os.ReadDir(root + path.Dir(KeyPath))
	return slices.ContainsFunc(files, func(f os.DirEntry) bool {
		return strings.HasPrefix(f.Name(), Joining)
	})
}

// Load reads the settings and the host's key.
func Load(root string) (*Settings, error) {
	s, err := LoadPublic(root)
	if err != nil {
		return nil, err
	}
	s.Key, err = LoadKey(root)
	return s, err
}

// LoadPublic reads the settings without the host's key.
func LoadPublic(root string) (*Settings, error) {
	text, err := safefile.ReadFile(root+Path, safefile.NotWritable, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(root)
	}
	if err != nil {
		return nil, err
	}
	s, err := Parse(Path, text, func(path string) ([]byte, error) {
		return safefile.ReadFile(root+path, safefile.NotWritable, maxCA)
	})
	if err == nil && s.Host == "" {
		s.Host, err = os.Hostname()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// missing says why a host without fleet.toml is taken for one of a fleet. No one is to leave a
// fleet because of a folder that cannot be looked into, as in a program that does not run as root.
func missing(root string) error {
	var st unix.Stat_t
	if err := unix.Lstat(root+KeyPath, &st); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("it cannot be known whether this host has joined a fleet: %s: %w",
			KeyPath, err)
	}
	return fmt.Errorf("%s is missing, and this host has joined a fleet: put it back, or "+
		"run: enroll fleet leave --yes", Path)
}

// LoadKey reads the key with which the host signs its questions.
func LoadKey(root string) (fleetkey.Signing, error) {
	text, err := safefile.ReadFile(root+KeyPath, safefile.Private, maxKey)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fleetkey.Signing{}, fmt.Errorf(
			"%s is missing: run enroll fleet leave --yes, have a ticket made, and join again", KeyPath)
	case err != nil:
		return fleetkey.Signing{}, err
	}
	key, err := fleetkey.ParseHost(text)
	if err != nil {
		return fleetkey.Signing{}, fmt.Errorf("%s: %w", KeyPath, err)
	}
	return key, nil
}
