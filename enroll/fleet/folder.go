package fleet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"latchkey/pam/factor"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Where a user's files are while the user moves into the fleet: put away, so that they let no one
// in even if the host leaves the fleet.
const (
	records      = settings.OwnRecords
	states       = "/var/lib/latchkey/users"
	awayRecords  = settings.MovingRecords
	awayStates   = "/var/lib/latchkey/users.moving"
	keyDirectory = "/var/lib/latchkey"
)

// away are the folders of users who are moving.
type away struct{ root string }

// make makes the folders.
func (a away) make() error {
	for _, folder := range []string{awayRecords, awayStates} {
		dir, err := safefile.OpenDir(a.root + path.Dir(folder))
		if err != nil {
			return err
		}
		err = dir.Mkdir(path.Base(folder))
		dir.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// keyring reads a user's files where they are now.
func (a away) keyring(name string) factor.Keyring {
	where := func(usual, moved string) string {
		if there(a.root + moved + "/" + name) {
			return a.root + moved
		}
		return a.root + usual
	}
	return factor.Keyring{
		Records: record.Store{Path: where(records, awayRecords), KeyPath: a.root + keyDirectory},
		States:  state.Store{Path: where(states, awayStates)},
	}
}

func there(file string) bool {
	_, err := os.Lstat(file)
	return err == nil
}

// begun reports whether a user's files were put away. It refuses a user who has new ones by now:
// putting those away, too, would destroy the first ones, which the move is about.
func (a away) begun(name string) (bool, error) {
	begun := there(a.root + awayRecords + "/" + name)
	if begun && there(a.root+records+"/"+name) {
		return begun, fmt.Errorf("has two records: %s/%s, and %s/%s of an import that was "+
			"interrupted; remove the one that should not count", records, name, awayRecords, name)
	}
	return begun, nil
}

// names are the users who are moving.
func (a away) names() ([]string, error) {
	names, err := record.Store{Path: a.root + awayRecords}.Names()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return names, err
}

// put puts a user's files away, durably: the record first, because a state alone is a denial.
func (a away) put(name string) error {
	for _, from := range []struct{ usual, moved string }{
		{records, awayRecords}, {states, awayStates}} {
		if !there(a.root + from.usual + "/" + name) {
			continue
		}
		err := os.Rename(a.root+from.usual+"/"+name, a.root+from.moved+"/"+name)
		if err == nil {
			err = errors.Join(flush(a.root+from.moved), flush(a.root+from.usual))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// flush makes the entries of a folder durable.
func flush(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// remove removes the files of a user who has arrived: a stolen disk must not hold secrets of the
// fleet.
func (a away) remove(name string) error {
	for _, folder := range []string{awayRecords, awayStates} {
		dir, err := safefile.OpenDir(a.root + folder)
		if err != nil {
			return err
		}
		err = dir.Remove(name)
		dir.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// sweep removes states whose records are gone: their users have arrived.
func (a away) sweep() error {
	names, err := state.Store{Path: a.root + awayStates}.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if !there(a.root+awayRecords+"/"+name) && !there(a.root+records+"/"+name) {
			if err := a.remove(name); err != nil {
				return err
			}
		}
	}
	return nil
}
