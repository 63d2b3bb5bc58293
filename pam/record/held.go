package record

import (
	"sync"

	"latchkey/pam/safefile"
)

// held is what a Store keeps open for a caller that reads or writes many records.
type held struct {
	dir *safefile.Dir
	mu  sync.Mutex
	key *key // nil: not read yet
}

// Hold returns s for a caller that reads or writes many records: the directory is opened and
// checked now, the host key is read once, and both are kept until done is called. A caller that
// writes has the lock of all changes when it calls Hold, since the key may be replaced before that.
func (s Store) Hold() (of Store, done func(), err error) {
	dir, err := safefile.OpenDir(s.Path)
	if err != nil {
		return s, nil, err
	}
	s.held = &held{dir: dir}
	return s, dir.Close, nil
}

func (s Store) dir() (*safefile.Dir, error) {
	if s.held != nil {
		return s.held.dir.Lend(), nil
	}
	return safefile.OpenDir(s.Path)
}

func (s Store) key() (*key, error) {
	if s.held == nil {
		return loadKey(s.KeyPath)
	}
	s.held.mu.Lock()
	defer s.held.mu.Unlock()
	if s.held.key != nil {
		return s.held.key, nil
	}
	k, err := loadKey(s.KeyPath)
	s.held.key = k
	return k, err
}
