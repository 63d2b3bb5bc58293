package node

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"latchkey/pam/safefile"
)

// memory is what a service remembers on its disk: which number in etcd is its own.
type memory struct {
	Epoch uint64 `json:"epoch"` // the highest that it has seen
	// Registered: the number was in etcd in this epoch, so that it must be there.
	Registered bool   `json:"registered"`
	Last       string `json:"last"`     // that etcd has or had
	Next       string `json:"next"`     // that etcd may have
	Revision   int64  `json:"revision"` // of etcd, the highest that it has seen
}

const (
	memoryFile = "node"
	maxMemory  = 4 << 10
)

func (m memory) candidates() []string { return []string{m.Last, m.Next} }

// owns reports whether a number is the service's own.
func (m memory) owns(number string) bool {
	return number != "" && (number == m.Last || number == m.Next)
}

func newNumber() string {
	random := make([]byte, 16)
	rand.Read(random)
	return hex.EncodeToString(random)
}

func readMemory(dir string) (m memory, err error) {
	text, err := readIn(dir, memoryFile, maxMemory)
	if text == nil || err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, fmt.Errorf("%s/%s: is damaged: %v", dir, memoryFile, err)
	}
	return m, nil
}

// readIn reads a file that only this service can read; nil if there is none.
func readIn(dir, name string, limit int) ([]byte, error) {
	text, err := safefile.ReadFile(dir+"/"+name, safefile.Private, limit)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return text, err
}

func (m memory) write(dir string) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return writeIn(dir, memoryFile, append(text, '\n'))
}

func writeIn(dir, name string, text []byte) error {
	d, err := safefile.OpenDir(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return safefile.Part(d.Replace(name, text))
}

// Forget removes what the service has remembered in dir: it registers again.
func Forget(dir string) error {
	d, err := safefile.OpenDir(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Remove(memoryFile); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// LastEpoch is the highest epoch that the service has seen which remembers in dir.
func LastEpoch(dir string) (uint64, error) {
	m, err := readMemory(dir)
	return m.Epoch, err
}
