package backup

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Host is where the files of a host are.
type Host struct {
	Root    string // a prefix of every path; "" but in tests
	Keyring factor.Keyring
}

const (
	keyPath = "/var/lib/latchkey/key"
	folder  = "/etc/latchkey"
)

// Missing is a user whom a backup does not have, and why.
type Missing struct {
	User    string `json:"user"`
	Problem string `json:"problem"`
}

// ErrKeyChanged says that the host key was replaced while users were read.
var ErrKeyChanged = errors.New("the host key was replaced meanwhile")

// Take reads all users and files of a host. Each user's record and state are of one moment. Who
// cannot be read could not log in, and is in missing.
func (h Host) Take() (b *Backup, missing []Missing, err error) {
	b = &Backup{}
	names, err := h.Keyring.Names()
	if err != nil {
		return nil, nil, err
	}
	if b.Files, err = h.files(); err != nil {
		return nil, nil, err
	}
	if b.Key, err = h.key(); err != nil && (len(names) > 0 || !errors.Is(err, record.ErrNoKey)) {
		return nil, nil, err
	} else if err != nil {
		return b, nil, nil // no one ever enrolled
	}
	codec, err := record.ReadKey(b.Key)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", keyPath, err)
	}
	for _, name := range names {
		u, err := h.user(name, codec)
		if err != nil {
			missing = append(missing, Missing{name, err.Error()})
			continue
		}
		b.Users = append(b.Users, u)
	}
	if now, err := h.key(); err != nil || !bytes.Equal(now, b.Key) {
		return nil, nil, ErrKeyChanged
	}
	return b, missing, nil
}

func (h Host) key() ([]byte, error) {
	text, err := safefile.ReadFile(h.Root+keyPath, safefile.Private, 256)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w (%s)", record.ErrNoKey, keyPath)
	}
	return text, err
}

// user reads what one user has, while no login and no change is under way.
func (h Host) user(name string, codec record.Codec) (User, error) {
	uid, err := h.Keyring.Records.UID(name)
	if err != nil {
		return User{}, err
	}
	account, err := h.Keyring.Open(record.User{Name: name, UID: uid})
	if err != nil {
		return User{}, err
	}
	defer account.Close()
	u := User{Name: name}
	if u.Record, err = codec.Encode(account.Record); err != nil {
		return User{}, err
	}
	u.State, err = state.Encode(account.State.State)
	return u, err
}

// files reads those of /etc/latchkey that belong to a backup.
func (h Host) files() (all []File, err error) {
	for _, sub := range []string{"", attestations + "/"} {
		entries, err := os.ReadDir(h.Root + folder + "/" + sub)
		if err != nil && (sub == "" || !errors.Is(err, fs.ErrNotExist)) {
			return nil, err
		}
		for _, e := range entries {
			if name := sub + e.Name(); e.Type().IsRegular() && belongs(name) {
				text, err := safefile.ReadFile(path.Join(h.Root+folder, name), forbidden(name),
					maxText)
				if err != nil {
					return nil, err
				}
				all = append(all, File{name, text})
			}
		}
	}
	// The policy comes last: it is put back last.
	slices.SortStableFunc(all, func(a, b File) int { return rank(a.Name) - rank(b.Name) })
	return all, nil
}

// rank orders files as they are put back: what others name comes first.
func rank(name string) int { return slices.Index([]string{twilioFile, policyFile}, name) }

// forbidden are the permission bits that a file must not have.
func forbidden(name string) uint32 {
	if name == twilioFile {
		return safefile.Private
	}
	return safefile.NotWritable
}
