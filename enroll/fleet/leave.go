package fleet

import (
	"errors"
	"io/fs"
	"path"

	"latchkey/enroll/hint"
	"latchkey/pam/fleet/remote"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/safefile"
)

// ErrNotJoined says that the host is in no fleet.
var ErrNotJoined = hint.Error("this host is not one of a fleet",
	"to join one: enroll fleet join TICKET")

// leaving is the file that says, while it is there, that the key is about to go.
const leaving = settings.Joining + "leave"

// Leave makes the host a single one again, whose own records count. fleet.toml goes first: without
// it nothing else is of any use. Killed at any moment, the host is in the fleet or it is not.
func Leave(root string) error {
	if !settings.InFleet(root) {
		return ErrNotJoined
	}
	lib := path.Dir(settings.KeyPath)
	dir, err := safefile.OpenDir(root + lib)
	if err != nil {
		return err
	}
	err = dir.Replace(leaving, nil)
	dir.Close()
	if err != nil {
		return err
	}
	for _, file := range []string{settings.Path, settings.KeyPath, settings.CAPath,
		remote.EpochPath, lib + "/" + leaving} {
		dir, err := safefile.OpenDir(root + path.Dir(file))
		if err != nil {
			return err
		}
		err = dir.Remove(path.Base(file))
		dir.Close()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
