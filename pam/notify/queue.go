package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
)

// How many latchkey-notify may wait at a time, and how many of them may run a program.
const (
	places = 64
	turns  = 4
)

// pause is how often a waiting one looks again.
const pause = 20 * time.Millisecond

// Errors of a queue.
var (
	errFull = fmt.Errorf("dropped: %d are waiting already", places)
	errLate = errors.New("dropped: no turn came in time")
)

// queue bounds the number of latchkey-notify: a program that hangs must not fill the host with
// them. Each place and each turn is the lock of a file (flock(2)), which ends with the process.
type queue struct {
	root string
	bounds
}

// wait takes a place, and returns when it is this process's turn. Both are kept until it ends.
func (q queue) wait(until time.Time) error {
	dir, err := q.dir()
	if err != nil {
		return err
	}
	// A user can stop what su started for them through the control group that it is in.
	safefile.EndOld(dir, q.life+2*q.margin)
	if ok, err := claim(dir+"/place", places); !ok {
		return errors.Join(errFull, err)
	}
	for time.Now().Before(until) {
		if ok, err := claim(dir+"/turn", turns); ok || err != nil {
			return err
		}
		time.Sleep(pause)
	}
	return errLate
}

// dir makes sure that the directory of the locks exists and is safe.
func (q queue) dir() (string, error) {
	above, err := safefile.OpenDir(q.root + "/var/lib/latchkey")
	if err != nil {
		return "", err
	}
	defer above.Close()
	if err := above.Mkdir("notify"); err != nil {
		return "", err
	}
	dir, err := above.Sub("notify")
	if err != nil {
		return "", err
	}
	defer dir.Close()
	return dir.Path(), nil
}

// claim locks the first of count files that no one else has locked.
func claim(path string, count int) (ok bool, err error) {
	for n := range count {
		name := fmt.Sprintf("%s-%d", path, n)
		fd, err := unix.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
		if err != nil {
			return false, &os.PathError{Op: "open", Path: name, Err: err}
		}
		if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) == nil {
			return true, nil
		}
		unix.Close(fd)
	}
	return false, nil
}
