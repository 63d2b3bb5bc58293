package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"latchkey/enroll/app/qr"
	"latchkey/enroll/hint"
	"latchkey/enroll/terminal"
)

// WritePicture writes the QR code of an otpauth URI to a new file that only its owner, the caller,
// can read. It overwrites nothing. The file goes away again unless keep is told that the device is
// saved; a signal that ends the program leaves it empty.
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
	// A signal may come while this is root, and the path may be another file's by then: so the
	// file is emptied, not removed.
	done := c.Until(func() { f.Truncate(0) })
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
