package backup

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"

	"latchkey/pam/record"
)

// ErrNotWhole says that a file is no backup, or not the whole of one as it was written.
var ErrNotWhole = errors.New("not a whole backup")

// ErrOpen says that a passphrase or an identity is not the one that opens a backup.
var ErrOpen = errors.New("the passphrase or identity does not open it")

// read reads a whole backup, to its end, and passes its users on, some at a time, before it is
// known to be whole. Errors of its own match ErrOpen or ErrNotWhole.
func read(r io.Reader, pass passing, with ...age.Identity) (*Backup, error) {
	plain, err := age.Decrypt(r, with...)
	if err != nil {
		return nil, notOpened(err)
	}
	archive := reader{Reader: tar.NewReader(plain), b: &Backup{}, pass: pass}
	err = archive.read()
	if err == nil {
		// What is behind the archive is authenticated, too, and must be its padding.
		err = padding(plain)
	}
	if told := (notTaken{}); errors.As(err, &told) {
		return nil, told.error
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNotWhole, err)
	}
	return archive.b, nil
}

// passing takes some users of a backup, of which all that comes before them is known.
type passing func(b *Backup, some []User) error

// notTaken is an error of a passing.
type notTaken struct{ error }

func notOpened(err error) error {
	if mismatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &mismatch) {
		return ErrOpen
	}
	return fmt.Errorf("%w: %v", ErrNotWhole, err)
}

// padding reads the rest of an archive, which is zeros.
func padding(r io.Reader) error {
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		if len(bytes.Trim(buf[:n], "\x00")) > 0 {
			return errors.New("there is something behind its end")
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
	}
}

// reader reads an archive.
type reader struct {
	*tar.Reader
	b    *Backup
	last string // the name of the user before
	pass passing
}

// atATime is how many users are passed on.
const atATime = 500

func (t *reader) read() error {
	if err := t.readManifest(); err != nil {
		return err
	}
	var err error
	if t.b.Key, err = entry(t.Reader, "key"); err != nil {
		return err
	}
	for range t.b.Manifest.Files {
		if err := t.readFile(); err != nil {
			return err
		}
	}
	for left := t.b.Manifest.Users; left > 0; left -= atATime {
		if err := t.readUsers(min(left, atATime)); err != nil {
			return err
		}
	}
	if _, err := t.Next(); err != io.EOF {
		return fmt.Errorf("it has more than it says (%v)", err)
	}
	return nil
}

func (t *reader) readManifest() error {
	m := &t.b.Manifest
	text, err := entry(t.Reader, "manifest.json")
	if err == nil {
		err = json.Unmarshal(text, m)
	}
	switch {
	case err != nil:
		return fmt.Errorf("manifest.json: %v", err)
	case m.Format != format:
		return fmt.Errorf("of format %d; this enroll knows %d", m.Format, format)
	case m.Users < 0 || m.Users > maxUsers || m.Files < 0 || m.Files > maxFiles:
		return errors.New("manifest.json: a number is out of range")
	}
	return nil
}

func (t *reader) readFile() error {
	name, text, err := next(t.Reader)
	if err != nil {
		return err
	}
	name, ok := strings.CutPrefix(name, "files/")
	known := func(f File) bool { return f.Name == name }
	if !ok || !belongs(name) || slices.ContainsFunc(t.b.Files, known) {
		return fmt.Errorf("%q does not belong there", name)
	}
	t.b.Files = append(t.b.Files, File{name, text})
	return nil
}

// readUsers reads n users, and passes them on.
func (t *reader) readUsers(n int) error {
	all := make([]User, n)
	for i := range all {
		if err := t.readUser(&all[i]); err != nil {
			return err
		}
	}
	if err := t.pass(t.b, all); err != nil {
		return notTaken{err}
	}
	return nil
}

// readUser reads the two entries of a user, whose names are in order.
func (t *reader) readUser(u *User) error {
	name, text, err := next(t.Reader)
	if err != nil {
		return err
	}
	name, ok := strings.CutPrefix(name, "users/")
	name, ok2 := strings.CutSuffix(name, "/record")
	if !ok || !ok2 || record.CheckName(name) != nil || name <= t.last {
		return fmt.Errorf("%q does not belong there", name)
	}
	*u = User{Name: name, Record: text}
	t.last = name
	u.State, err = entry(t.Reader, "users/"+name+"/state")
	return err
}

// entry reads the next entry, which must have that name.
func entry(t *tar.Reader, want string) ([]byte, error) {
	name, text, err := next(t)
	if err == nil && name != want {
		err = fmt.Errorf("%q stands where %s belongs", name, want)
	}
	return text, err
}

func next(t *tar.Reader) (name string, text []byte, err error) {
	h, err := t.Next()
	switch {
	case err == io.EOF:
		return "", nil, errors.New("it has less than it says")
	case err != nil:
		return "", nil, err
	case h.Typeflag != tar.TypeReg || h.Size > maxText:
		return "", nil, fmt.Errorf("%q is not a file of at most %d bytes", h.Name, maxText)
	}
	text, err = io.ReadAll(t)
	return h.Name, text, err
}
