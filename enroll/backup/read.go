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

// Read opens a backup and reads all of it, to its end, before it returns anything. Errors match
// ErrOpen or ErrNotWhole.
func Read(r io.Reader, with ...age.Identity) (*Backup, error) {
	plain, err := age.Decrypt(r, with...)
	if mismatch := (*age.NoIdentityMatchError)(nil); errors.As(err, &mismatch) {
		return nil, ErrOpen
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNotWhole, err)
	}
	b, err := unarchive(plain)
	if err == nil {
		// What is behind the archive is authenticated, too, and must be its padding.
		err = padding(plain)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrNotWhole, err)
	}
	return b, nil
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

func unarchive(r io.Reader) (*Backup, error) {
	t := tar.NewReader(r)
	b := &Backup{}
	text, err := entry(t, "manifest.json")
	if err == nil {
		err = json.Unmarshal(text, &b.Manifest)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("manifest.json: %v", err)
	case b.Format != format:
		return nil, fmt.Errorf("of format %d; this enroll knows %d", b.Format, format)
	case b.Manifest.Users < 0 || b.Manifest.Users > maxUsers || b.Manifest.Files < 0 ||
		b.Manifest.Files > maxFiles:
		return nil, errors.New("manifest.json: a number is out of range")
	}
	if b.Key, err = entry(t, "key"); err != nil {
		return nil, err
	}
	for range b.Manifest.Files {
		if err := b.readFile(t); err != nil {
			return nil, err
		}
	}
	for range b.Manifest.Users {
		if err := b.readUser(t); err != nil {
			return nil, err
		}
	}
	if _, err := t.Next(); err != io.EOF {
		return nil, fmt.Errorf("it has more than it says (%v)", err)
	}
	return b, nil
}

func (b *Backup) readFile(t *tar.Reader) error {
	name, text, err := next(t)
	if err != nil {
		return err
	}
	name, ok := strings.CutPrefix(name, "files/")
	known := func(f File) bool { return f.Name == name }
	if !ok || !belongs(name) || slices.ContainsFunc(b.Files, known) {
		return fmt.Errorf("%q does not belong there", name)
	}
	b.Files = append(b.Files, File{name, text})
	return nil
}

// readUser reads the two entries of a user, whose names are in order.
func (b *Backup) readUser(t *tar.Reader) error {
	name, text, err := next(t)
	if err != nil {
		return err
	}
	name, ok := strings.CutPrefix(name, "users/")
	name, ok2 := strings.CutSuffix(name, "/record")
	last := ""
	if n := len(b.Users); n > 0 {
		last = b.Users[n-1].Name
	}
	if !ok || !ok2 || record.CheckName(name) != nil || name <= last {
		return fmt.Errorf("%q does not belong there", name)
	}
	u := User{Name: name, Record: text}
	if u.State, err = entry(t, "users/"+name+"/state"); err != nil {
		return err
	}
	b.Users = append(b.Users, u)
	return nil
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
