package migrate

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"latchkey/enroll/migrate/source"
)

// importFile is an opened file of another second factor. Users who may write it decide what is
// taken over, so its owner and mode are those of the opened file.
type importFile struct {
	text  []byte
	owner int
	mode  uint32
	name  string
	above []folder // that it is in, and those that these are in
}

// openImport reads a regular file. Others may have put anything else there: a link, to have a
// file taken for theirs that is not, or a pipe, to wait for ever.
func openImport(path string) (f importFile, err error) {
	file, above, err := openWithoutLinks(path)
	if err != nil {
		return f, err
	}
	defer file.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		return f, err
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return f, errors.New("not a regular file")
	case st.Mode&0o002 != 0:
		return f, errors.New("everyone may write it, so it proves nothing")
	case st.Size > source.MaxFile:
		return f, fmt.Errorf("larger than %d bytes", source.MaxFile)
	}
	f = importFile{
		owner: int(st.Uid), mode: st.Mode & 0o777, name: filepath.Base(path), above: above,
	}
	f.text, err = io.ReadAll(io.LimitReader(file, source.MaxFile+1))
	return f, err
}

var errFormat = errors.New("the format is not clear: name it with --format google|oath|csv")

// read makes candidates of what a file says.
func (m *migration) read(path string) []*candidate {
	f, err := openImport(path)
	if err != nil {
		return []*candidate{failed(path, err)}
	}
	format := m.Format
	if format == "" {
		if format, err = source.Guess(f.text); err != nil {
			return []*candidate{failed(path, errFormat)}
		}
	}
	if format != source.GoogleFormat {
		if err := f.mayName(); err != nil {
			return []*candidate{failed(path, err)}
		}
	}
	entries, err := source.Read(format, bytes.NewReader(f.text), shown(path), m.Clock())
	if format == source.GoogleFormat {
		return []*candidate{m.personal(path, f, entries, err)}
	}
	if err != nil {
		return []*candidate{failed(path, err)}
	}
	return m.many(path, entries)
}

// many makes candidates of the entries of one file, or of the one that --user names.
func (m *migration) many(path string, entries []source.Entry) (all []*candidate) {
	for _, e := range entries {
		if m.User != "" && e.User != m.User {
			continue
		}
		c := &candidate{Outcome: Outcome{User: e.User, File: path}, entry: e}
		if e.Err != nil {
			c.fail(e.Err)
		}
		all = append(all, c)
	}
	if len(all) == 0 && m.User != "" {
		c := failed(path, errors.New("this user is not in the file"))
		c.User = m.User
		all = append(all, c)
	}
	return all
}

// personal makes a candidate of a .google_authenticator file, which is its owner's unless root
// says otherwise.
func (m *migration) personal(
	path string, f importFile, entries []source.Entry, err error) *candidate {
	c := &candidate{Outcome: Outcome{User: m.User, File: path}}
	if m.User == "" {
		var unowned error
		if c.who, unowned = m.ownerOf(f); unowned != nil {
			return failed(path, unowned)
		}
		c.User = c.who.Name
	}
	if err != nil {
		c.fail(err)
		return c
	}
	c.entry = entries[0]
	c.entry.User = c.User
	if f.mode&0o044 != 0 {
		note := fmt.Sprintf("others may read the file (mode %04o): a new secret is safer", f.mode)
		c.entry.Notes = append(c.entry.Notes, note)
	}
	return c
}

// mayName reports whether the file may say whose secret is whose. Otherwise a user's
// .google_authenticator with a line about root in it, read with everyone's, would give them
// root's second factor.
func (f importFile) mayName() error {
	if f.owner != 0 || f.mode&0o022 != 0 {
		return fmt.Errorf("it names users, so it must belong to root and must not be writable "+
			"by others (owner %d, mode %04o)", f.owner, f.mode)
	}
	return nil
}

// ownerOf is whose file it is. In a folder for all users, such as pam_google_authenticator's
// secret= may name, the files may all belong to a service that reads them: there the owner must
// be the one whose name the file has.
func (m *migration) ownerOf(f importFile) (User, error) {
	switch {
	case f.owner == 0:
		return User{}, errors.New("it belongs to root: say whose it is with --user NAME")
	case f.mode&0o022 != 0:
		return User{}, fmt.Errorf("others may write it (mode %04o): "+
			"say whose it is with --user NAME", f.mode)
	}
	who, err := m.LookUpID(f.owner)
	if err == nil && !f.inHomeOf(who) && f.name != who.Name {
		err = fmt.Errorf("it is not in the home folder of its owner, %q: "+
			"say whose it is with --user NAME", who.Name)
	}
	return who, err
}

// inHomeOf reports whether the file is below the user's home folder, which must be the user's
// own: that of a service may be anywhere.
func (f importFile) inHomeOf(who User) bool {
	var home unix.Stat_t
	if !strings.HasPrefix(who.Home, "/") || unix.Stat(who.Home, &home) != nil {
		return false
	}
	if home.Uid != who.UID {
		return false
	}
	return slices.Contains(f.above, folder{home.Dev, home.Ino})
}
