package journal

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/pam/safefile"
)

// File is a file that an activation changes.
type File struct {
	Path    string `json:"path"`
	Existed bool   `json:"existed"`
	Mode    uint32 `json:"mode"` // of the file before; of a new one 0644
	UID     int    `json:"uid"`
	GID     int    `json:"gid"`
	Copy    string `json:"copy,omitempty"` // of the file before, in the journal's folder
	Before  string `json:"before"`         // SHA-256 of its content; of none if it did not exist
	After   string `json:"after"`
	Lines   Lines  `json:"lines"`
}

// Holds is what a file has in it now.
type Holds int

// What a file may hold. The zero value is what is never overwritten.
const (
	Other  Holds = iota // what others have written since
	Before              // what it had before the activation
	After               // what the activation wrote
	Theirs              // what others have written since, and no longer what the activation wrote
)

// biggest bounds the files that are read.
const biggest = 1 << 20

// absent is in place of the sum of a file that does not exist.
const absent = "none"

func sum(data []byte) string {
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}

// Note looks at a file that is to become after, and copies it into the folder.
func (s Store) Note(dir *safefile.Dir, path, before, after string, existed bool) (File, error) {
	f := File{Path: path, Existed: existed, Mode: 0o644, Before: absent, After: sum([]byte(after)),
		Lines: between(before, after)}
	if !existed {
		return f, nil
	}
	var st unix.Stat_t
	if err := unix.Lstat(s.Root+path, &st); err != nil {
		return f, &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	f.Mode, f.UID, f.GID = st.Mode&0o7777, int(st.Uid), int(st.Gid)
	f.Before = sum([]byte(before))
	f.Copy = strings.ReplaceAll(strings.TrimPrefix(path, "/"), "/", "-")
	return f, safefile.Part(dir.Replace(f.Copy, []byte(before)))
}

// Content says what the file holds.
func (s Store) Content(f File) (Holds, error) {
	if st, err := os.Lstat(s.Root + f.Path); errors.Is(err, fs.ErrNotExist) {
		if f.Before == absent {
			return Before, nil
		}
		return Other, nil
	} else if err == nil && !st.Mode().IsRegular() {
		return Other, nil
	}
	// Its content decides, even if others may write it by now.
	text, err := pamd.Read(s.Root+f.Path, biggest)
	if err != nil {
		return Other, err
	}
	switch sum([]byte(text)) {
	case f.After:
		return After, nil
	case f.Before:
		return Before, nil
	}
	return Other, nil
}

// Write gives the file its new content. What it held before is checked once more.
func (s Store) Write(f File, after string) error {
	if holds, err := s.Content(f); err != nil || holds == Other {
		return errors.Join(err, fmt.Errorf("%s: another program has changed it meanwhile", f.Path))
	}
	return s.replace(f, []byte(after))
}

// Restore gives the file the content that it had, if it holds what the activation wrote. From one
// that others have changed it only takes the activation's lines. It returns what the file held.
func (s Store) Restore(f File) (Holds, error) {
	_ = safefile.Sweep(filepath.Dir(s.Root + f.Path)) // what a killed activation has left
	holds, err := s.Content(f)
	if err == nil && holds == Other {
		return s.takeOut(f)
	}
	if err != nil || holds != After {
		return holds, err
	}
	if !f.Existed {
		dir, err := safefile.OpenDir(filepath.Dir(s.Root + f.Path))
		if err != nil {
			return holds, err
		}
		defer dir.Close()
		return holds, safefile.Part(dir.Remove(filepath.Base(f.Path)))
	}
	data, err := safefile.ReadFile(s.Root+Folder+"/"+f.Copy, safefile.Private, biggest)
	if err != nil {
		return holds, err
	}
	if sum(data) != f.Before {
		return holds, fmt.Errorf("%s/%s is damaged", Folder, f.Copy)
	}
	return holds, s.replace(f, data)
}

func (s Store) replace(f File, data []byte) error {
	dir, err := safefile.OpenDir(filepath.Dir(s.Root + f.Path))
	if err != nil {
		return err
	}
	defer dir.Close()
	dir.Sweep() // what a killed activation has left
	return dir.ReplaceAs(filepath.Base(f.Path), data, f.Mode, f.UID, f.GID)
}
