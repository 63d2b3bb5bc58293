package record

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io/fs"

	"latchkey/pam/safefile"
)

// A new host key takes the place of the old one in three steps, between which every record opens:
// both keys are put into the key file, each record is sealed with the new one, and the old one is
// dropped. The caller of each holds state.Store's Exclusive lock.

// BeginRekey makes a new host key, with which records are sealed from now on, and keeps the old
// one beside it. A replacement that was begun already goes on with its keys. The error may match
// ErrNoKey.
func (s Store) BeginRekey() error {
	dir, err := safefile.OpenDir(s.KeyPath)
	if err != nil {
		return err
	}
	defer dir.Close()
	dir.Sweep() // a rekey that was killed may have left keys
	k, err := loadKey(s.KeyPath)
	if err != nil || k.old != nil {
		return err
	}
	old, err := dir.ReadFile(keyFile, safefile.Private, keyLimit)
	if err != nil {
		return err
	}
	fresh := make([]byte, keySize)
	rand.Read(fresh)
	return safefile.Part(dir.Replace(keyFile, append(formatKey(fresh), old...)))
}

// Reseal seals the record in the file name with the new host key, whoever it was made for. The
// error matches ErrMAC if neither key opens it; a record that is gone is none.
func (s Store) Reseal(name string) error {
	k, err := s.key()
	if err != nil {
		return err
	}
	file, err := s.read(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if line, body, _ := bytes.Cut(file, []byte("\n")); k.signed(line, body) {
		return nil
	}
	r, err := k.decode(file)
	if err != nil {
		return err
	}
	if file, err = k.encode(r); err != nil {
		return err
	}
	dir, err := s.dir()
	if err != nil {
		return err
	}
	defer dir.Close()
	return safefile.Part(dir.Replace(name, file))
}

// EndRekey drops the old host key. Records that were not resealed no longer open.
func (s Store) EndRekey() error {
	dir, err := safefile.OpenDir(s.KeyPath)
	if err != nil {
		return err
	}
	defer dir.Close()
	text, err := dir.ReadFile(keyFile, safefile.Private, keyLimit)
	if err != nil {
		return err
	}
	if _, err := readKey(text); err != nil {
		return err
	}
	return dir.Replace(keyFile, text[:bytes.IndexByte(text, '\n')+1])
}
