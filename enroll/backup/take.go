package backup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/many"
	"latchkey/pam/opened"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Host is where the files of a host are.
type Host struct {
	Root    string // a prefix of every path; "" but in tests
	Keyring factor.Keyring
	Told    func(what string) many.Told // of users that are read and written; may be nil
}

func (h Host) told(what string) many.Told {
	if h.Told == nil {
		return nil
	}
	return h.Told(what)
}

// Taken is a backup to be written.
type Taken struct {
	Backup
	host  Host
	codec record.Codec
	names []string // of the users who can be read
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

// Errors of a backup that may be started again.
var (
	// ErrKeyChanged says that the host key was replaced while users were read.
	ErrKeyChanged = errors.New("the host key was replaced meanwhile")
	// ErrUserChanged says that a user who could be read no longer can.
	ErrUserChanged = errors.New("removed or damaged meanwhile")
)

// Take reads all files of a host, and finds out who can be read. Who cannot could not log in, and
// is in missing.
func (h Host) Take() (b *Taken, missing []Missing, err error) {
	b = &Taken{host: h}
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
	if b.codec, err = record.ReadKey(b.Key); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", keyPath, err)
	}
	err = b.users(names, "users read", func(u User, err error) error {
		if err != nil {
			missing = append(missing, Missing{u.Name, err.Error()})
			return nil
		}
		b.names = append(b.names, u.Name)
		return nil
	})
	return b, missing, err
}

// users reads users, and passes each on, in order. Each user's record and state are of one moment.
func (b *Taken) users(names []string, what string, pass func(u User, err error) error) error {
	k, done, err := opened.Once(b.host.Keyring)
	if err != nil {
		return err
	}
	defer done()
	each := Host{Root: b.host.Root, Keyring: k}
	type read struct {
		User
		err error
	}
	step, end := b.host.told(what).Begin(len(names))
	defer end()
	for r := range many.Results(names, func(name string) read {
		u, err := each.user(name, b.codec)
		return read{u, err}
	}) {
		step()
		if err := pass(r.User, r.err); err != nil {
			return err
		}
	}
	return nil
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
	u := User{Name: name}
	uid, err := h.Keyring.Records.UID(name)
	if err != nil {
		return u, err
	}
	account, err := h.Keyring.Open(record.User{Name: name, UID: uid})
	if err != nil {
		return u, err
	}
	defer account.Close()
	if u.Record, err = codec.Encode(account.Record); err != nil {
		return u, err
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
