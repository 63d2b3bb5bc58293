package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"latchkey/enroll/app/qr"
	"latchkey/enroll/hint"
	"latchkey/enroll/terminal"
)

// caller is the user who runs the program.
type caller struct{ uid, gid int }

// remove removes f if path still leads to it. A signal may come while the program is root, and
// the path may name another file by then, so it is removed with only the caller's rights.
// It is for the end of the program, as the thread keeps these.
func (c caller) remove(path string, f *os.File) {
	runtime.LockOSThread()
	unix.Setfsgid(c.gid)
	unix.Setfsuid(c.uid)
	if now, err := unix.SetfsuidRetUid(-1); err != nil || now != c.uid {
		return
	}
	own, err := f.Stat()
	there, err2 := os.Lstat(path)
	if err == nil && err2 == nil && os.SameFile(own, there) {
		os.Remove(path)
	}
}

// WritePicture writes the QR code of an otpauth URI to a new file that only its owner, the caller,
// can read. It overwrites nothing. The file goes away again unless keep is told that the device is
// saved, or if a signal ends the program.
func WritePicture(c *terminal.Console, path, uri string) (keep func(saved bool), err error) {
	code, err := qr.Encode(uri)
	if err != nil {
		return nil, err
	}
	picture, err := code.PNG()
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, hint.Error(path+" exists; nothing was changed",
			"name a new file: it will hold the secret")
	}
	if err != nil {
		return nil, err
	}
	owner := caller{uid: os.Geteuid(), gid: os.Getegid()}
	done := c.Until(func() {
		f.Truncate(0) // under the name that it has now
		owner.remove(path, f)
	})
	keep = func(saved bool) {
		defer f.Close()
		defer done()
		if !saved {
			os.Remove(path)
		}
	}
	if _, err = f.Write(picture); err != nil {
		keep(false)
		return nil, fmt.Errorf("write %s: %w", path, err)
	}
	return keep, nil
}
