package safefile

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ErrBusy says that another process held a lock for longer than the caller was willing to wait.
var ErrBusy = errors.New("locked by another process")

// ErrGone says that the caller's peer went away while the caller waited for a lock.
var ErrGone = errors.New("the other side is gone")

// Patience bounds the wait for a lock. The zero value does not wait.
type Patience struct {
	Limit time.Duration
	// Gone, if set, is called now and then to find out whether waiting is still of use.
	Gone func() bool
	// Ended, if set, lets a waiter that is root end a holder that makes no progress (stopped,
	// frozen, starved), and is then called with that holder.
	Ended func(Holder)
}

// pause is the time between attempts to take a held lock: short compared to a login, long compared
// to a system call.
const pause = 2 * time.Millisecond

// Lock takes the exclusive lock (flock(2)) of f, which ends when f is closed or the process dies.
// A stopped process can hold a lock forever, so waiting is bounded: after p.Limit the error is
// ErrBusy and names the holder.
func (p Patience) Lock(f *os.File) error { return p.lock(int(f.Fd()), unix.LOCK_EX, fileLockTime) }

// LockShared takes the shared lock of f.
func (p Patience) LockShared(f *os.File) error {
	return p.lock(int(f.Fd()), unix.LOCK_SH, fileLockTime)
}

// LockDir takes the exclusive lock of the directory, until it is closed.
func (p Patience) LockDir(d *Dir) error { return p.lock(d.fd, unix.LOCK_EX, dirLockTime) }

// dying is how long a holder gets to die after it was killed.
const dying = 2 * time.Second

func (p Patience) lock(fd, how int, patient time.Duration) error {
	w := watch{fd: fd, patient: patient, ended: p.Ended}
	end := time.Now().Add(p.Limit)
	for ; ; time.Sleep(pause) {
		err := unix.Flock(fd, how|unix.LOCK_NB)
		now := time.Now()
		switch {
		case err == nil:
			return nil
		case err != unix.EWOULDBLOCK && err != unix.EINTR:
			return os.NewSyscallError("flock", err)
		case p.Gone != nil && p.Gone():
			return ErrGone
		case !now.Before(end):
			return fmt.Errorf("%w%s", ErrBusy, w.holders())
		}
		if w.look(now) && end.Before(now.Add(dying)) {
			end = now.Add(dying)
		}
	}
}
