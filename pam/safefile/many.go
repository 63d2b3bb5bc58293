package safefile

import (
	"sync"

	"golang.org/x/sys/unix"
)

// Unsynced returns d for many files that need not be on the disk, nor be there after a crash,
// before Sync.
func (d *Dir) Unsynced() *Dir {
	many := d.Lend()
	many.unsynced = true
	return many
}

// Sync brings to the disk what Unsynced has left to be written, with all else that is to be written
// on that file system.
func (d *Dir) Sync() error {
	if err := unix.Syncfs(d.fd); err != nil {
		return d.pathError("syncfs", ".", err)
	}
	return nil
}

// rounds has one call serve all who asked for it before it began.
type rounds struct {
	mu   sync.Mutex
	next *round // not begun
	busy sync.Mutex
}

type round struct {
	done chan struct{}
	err  error
}

// do calls what, or has a call of another serve this one, too.
func (r *rounds) do(what func() error) error {
	r.mu.Lock()
	mine, leads := r.next, r.next == nil
	if leads {
		mine = &round{done: make(chan struct{})}
		r.next = mine
	}
	r.mu.Unlock()
	if !leads {
		<-mine.done
		return mine.err
	}
	r.busy.Lock() // meanwhile more may ask
	r.mu.Lock()
	r.next = nil
	r.mu.Unlock()
	mine.err = what()
	r.busy.Unlock()
	close(mine.done)
	return mine.err
}
