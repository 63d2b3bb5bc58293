// Package owner keeps an index of the names that have enrolled each uid: /var/lib/latchkey/uids.
//
// It answers one question: a user has no record, but is the uid enrolled under another name? A
// renamed account and a second name with the same uid must not pass for users who never enrolled.
// Without the index, answering takes reading every record of the host. What the index says is
// checked against the records, so an old entry denies no one; "UIDs" in state/FORMAT.md describes
// the format.
package owner

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"latchkey/pam/safefile"
)

// Index is the directory of the index.
type Index struct {
	Path string // /var/lib/latchkey/uids

	// One Add of a uid at a time: an import enrolls many users at once.
	adding [64]sync.Mutex
	held   atomic.Pointer[held]
}

var errIncomplete = errors.New("the index of uids may be incomplete")

const (
	marker    = "current" // the file that says which records the index has
	sizeLimit = 64 << 10
)

// Names returns the names noted for uid, whether or not they still have it.
func (x *Index) Names(uid uint32) ([]string, error) {
	dir, err := x.open()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	noted, err := names(dir, uid)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err == nil && len(noted) == 0:
		return nil, fmt.Errorf("%s/%s: damaged: names no one; remove it", x.Path, file(uid))
	}
	return noted, err
}

// names returns the names in the entry of uid; the error matches fs.ErrNotExist if it has none.
func names(dir *safefile.Dir, uid uint32) ([]string, error) {
	text, err := dir.ReadFile(file(uid), safefile.Private, sizeLimit)
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == '\n' }), err
}

func file(uid uint32) string { return strconv.FormatUint(uint64(uid), 10) }

// Add notes that name has uid, before its record counts. It drops the names that keep rejects:
// they no longer have the uid. The caller holds enrollment.Store.Exclusive.
func (x *Index) Add(uid uint32, name string, keep func(name string) bool) error {
	one := &x.adding[uid%uint32(len(x.adding))]
	one.Lock()
	defer one.Unlock()
	dir, err := x.make()
	if err != nil {
		return err
	}
	defer dir.Close()
	noted, err := names(dir, uid)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if slices.Contains(noted, name) {
		return nil
	}
	if h := x.held.Load(); h != nil && h.Many && len(noted) == 0 {
		h.added.Store(true)
		dir = dir.Unsynced()
	}
	kept := slices.DeleteFunc(noted, func(other string) bool { return !keep(other) })
	text := []byte(strings.Join(append(kept, name), "\n") + "\n")
	return safefile.Part(dir.Replace(file(uid), text))
}

// AddFirst is Add for a uid that no one has had, for a caller that holds the index as complete. It
// fails if the index knows the uid.
func (x *Index) AddFirst(uid uint32, name string) error {
	h := x.held.Load()
	if h == nil || !h.Complete {
		return errIncomplete
	}
	dir := h.dir.Lend()
	if h.Many {
		h.added.Store(true)
		dir = dir.Unsynced()
	}
	return safefile.Part(dir.Create(file(uid), []byte(name+"\n")))
}

// Complete reports whether the index has every record and state of directories with this stamp. It
// is not believed if anything was added to it, removed or replaced since Mark: an entry that is
// gone would let a renamed account pass. While an enroll that made sure of it holds the lock of all
// changes, it is complete.
func (x *Index) Complete(stamp string) bool {
	if h := x.held.Load(); h != nil && h.Complete {
		return true
	}
	dir, err := x.open()
	if err != nil {
		return false
	}
	defer dir.Close()
	text, err := dir.ReadFile(marker, safefile.Private, sizeLimit)
	if err != nil || string(text) != line(stamp) {
		return false
	}
	settled, err := dir.Settled(marker)
	return err == nil && settled
}

// Hold is how an index is used until a function is called.
type Hold struct {
	Complete bool // it is declared complete
	// Many names are to be added. What is new among them need not be on the disk before the end:
	// an index that is not marked is not believed.
	Many bool
}

// held is what is kept meanwhile.
type held struct {
	Hold
	dir   *safefile.Dir
	added atomic.Bool // and is not on the disk yet
}

// Hold keeps the directory open until done is called. After an error of done there must be no
// Mark.
func (x *Index) Hold(how Hold) (done func() error, err error) {
	dir, err := x.make()
	if err != nil {
		return nil, err
	}
	h := &held{Hold: how, dir: dir}
	x.held.Store(h)
	return func() error {
		defer dir.Close()
		x.held.Store(nil)
		if h.added.Load() {
			return dir.Sync()
		}
		return nil
	}, nil
}

// Mark declares the index complete for directories with this stamp.
func (x *Index) Mark(stamp string) error {
	dir, err := x.make()
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := dir.Replace(marker, []byte(line(stamp))); err != nil {
		return safefile.Part(err)
	}
	dir.Settle(marker)
	return nil
}

// Sweep removes what a killed Add or a power failure left behind, if anything was added to the
// index since the last Mark: no enroll that came to its end ends without one. The caller notes
// all users afterwards.
func (x *Index) Sweep() error {
	dir, err := x.make()
	if err != nil {
		return err
	}
	defer dir.Close()
	settled, err := dir.Settled(marker)
	if err == nil && !settled {
		dir.Sweep()
		removeEmpty(dir.Unsynced())
	}
	return err
}

// removeEmpty removes entries that name no one: the names of many are not on the disk when their
// files get theirs. What it leaves denies a login.
func removeEmpty(dir *safefile.Dir) {
	entries, _ := dir.Names()
	for _, entry := range entries {
		text, err := dir.ReadFile(entry, safefile.Private, sizeLimit)
		if err == nil && strings.Trim(string(text), "\n") == "" {
			_ = dir.Remove(entry)
		}
	}
}

func line(stamp string) string { return "latchkey-uids-1 " + stamp + "\n" }

func (x *Index) open() (*safefile.Dir, error) {
	if h := x.held.Load(); h != nil {
		return h.dir.Lend(), nil
	}
	parent, err := safefile.OpenDir(filepath.Dir(x.Path))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	return parent.Sub(filepath.Base(x.Path))
}

// make opens the directory, and makes it first if need be.
func (x *Index) make() (*safefile.Dir, error) {
	if h := x.held.Load(); h != nil {
		return h.dir.Lend(), nil
	}
	parent, err := safefile.OpenDir(filepath.Dir(x.Path))
	if err != nil {
		return nil, err
	}
	defer parent.Close()
	if err := parent.Mkdir(filepath.Base(x.Path)); err != nil {
		return nil, fmt.Errorf("make the index of uids: %w", err)
	}
	return parent.Sub(filepath.Base(x.Path))
}
