// Package people looks up many users.
package people

import (
	"sync"

	"latchkey/pam/gate/names"
	"latchkey/pam/record"
)

// Directory looks up users: after the first few it asks the name service for all that it lists,
// once, because asking for one may take reading a file of all.
type Directory struct {
	mu     sync.Mutex
	asked  int
	listed map[string]uint32
}

// few are looked up one by one.
const few = 100

// Listed returns the user with that name, if the name service lists one. Others it may know all the
// same.
func (d *Directory) Listed(name string) (u record.User, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.asked++; d.asked == few {
		d.listed = names.Listed()
	}
	uid, ok := d.listed[name]
	return record.User{Name: name, UID: uid}, ok && record.CheckName(name) == nil
}
