// Package journal keeps what an activation has changed and what is to become of it, so that it can
// be undone: by the one who did it, by time, after the death of their session, and after a crash
// or a restart of the machine.
//
// The journal and copies of the files as they were are on the disk before the first file is
// changed.
package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"latchkey/enroll/hint"
	"latchkey/pam/safefile"
)

// Folder is where the journal is, and the copies of the files as they were.
const Folder = "/var/lib/latchkey/activation"

// State is what is to become of an activation; its values are an interface (--status --json).
type State string

// The values of State. The zero value is no activation.
const (
	Inactive State = "inactive" // it was undone, or there never was one
	Pending  State = "pending"  // it will be undone unless it is confirmed
	Active   State = "active"   // it was confirmed
)

// states are all of them: what has another one may still have to be undone.
var states = []State{Inactive, Pending, Active}

// Journal is one activation.
type Journal struct {
	Version  int           `json:"version"`
	State    State         `json:"state"`
	Stack    string        `json:"stack"`
	SSHD     string        `json:"sshd"` // the PAM service of sshd
	Services []string      `json:"services"`
	Began    Moment        `json:"began"`
	Within   time.Duration `json:"within"`
	// InForce is when sshd had read its new configuration; zero: that was not seen.
	InForce Moment `json:"in_force"`
	Files   []File `json:"files"`
	// what became of it
	By  string    `json:"by,omitempty"`
	At  time.Time `json:"at,omitzero"`
	Why string    `json:"why,omitempty"`
	// files that others have changed since: left as they are, or without the activation's lines
	Left   []string `json:"left,omitempty"`
	Theirs []string `json:"theirs,omitempty"`

	Undone bool `json:"-"` // it was undone just now
}

// version is that of the format; another one is refused.
const version = 1

// Due is how long it is until the activation is undone, which is over if no clock can tell.
func (j *Journal) Due(now Moment) time.Duration {
	passed, known := now.Since(j.Began)
	if !known {
		return 0
	}
	return max(0, j.Within-passed)
}

// Until is when it is undone by the clock on the wall, as it was when it began.
func (j *Journal) Until() time.Time { return j.Began.Wall.Add(j.Within) }

// Paths are those of the files that it changes.
func (j *Journal) Paths() (all []string) {
	for _, f := range j.Files {
		all = append(all, f.Path)
	}
	return all
}

// Store is the journal's folder below a root.
type Store struct{ Root string }

// name is the journal's own file.
const name = "journal"

// Lock takes the lock of the folder, which is made if it is not there, until it is closed.
func (s Store) Lock(p safefile.Patience) (*safefile.Dir, error) {
	if err := s.make(); err != nil {
		return nil, err
	}
	dir, err := safefile.OpenDir(s.Root + Folder)
	if err != nil {
		return nil, err
	}
	if err := p.LockDir(dir); err != nil {
		dir.Close()
		return nil, fmt.Errorf("%s: %w", Folder, err)
	}
	return dir, nil
}

func (s Store) make() error {
	above, err := safefile.OpenDir(s.Root + "/var/lib/latchkey")
	if err != nil {
		return err
	}
	defer above.Close()
	return above.Mkdir("activation")
}

// sizeLimit bounds what is read.
const sizeLimit = 1 << 20

// Load reads the journal; one that is not there is an inactive one.
func (s Store) Load() (*Journal, error) {
	none := &Journal{Version: version, State: Inactive}
	if _, err := os.Lstat(s.Root + Folder); errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	text, err := safefile.ReadFile(s.Root+Folder+"/"+name, safefile.Private, sizeLimit)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return nil, err
	}
	j := &Journal{}
	if err := json.Unmarshal(text, j); err != nil {
		return nil, unusable(err.Error())
	}
	if j.Version != version {
		return nil, unusable("written by another version of latchkey")
	}
	if !slices.Contains(states, j.State) {
		return nil, unusable(fmt.Sprintf("unknown state %q", j.State))
	}
	return j, nil
}

func unusable(why string) error {
	return hint.Error(fmt.Sprintf("%s/%s: %s", Folder, name, why), "put the copies beside it back "+
		"by hand, then remove it; see ACTIVATE in enroll(8)")
}

// Save writes the journal whole, durably. The caller holds the lock.
func (j *Journal) Save(dir *safefile.Dir) error {
	j.Version = version
	text, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return err
	}
	return safefile.Part(dir.Replace(name, append(text, '\n')))
}
