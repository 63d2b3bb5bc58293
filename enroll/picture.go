package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"latchkey/enroll/qr"
)

// withPicture writes the picture of the URI that the options ask for, and has work done that saves the device. The picture stays only
// if that succeeds.
func (p *program) withPicture(uri string, o options, work func() error) error {
	if o.png == "" {
		return work()
	}
	code, err := qr.Encode(uri)
	if err != nil {
		return err
	}
	keep, err := p.writePicture(o.png, code)
	if err != nil {
		return err
	}
	err = work()
	keep(made(err))
	if made(err) {
		fmt.Fprintf(p.err, "enroll: warning: %s holds the secret: remove it once it is scanned\n", o.png)
	}
	return err
}

// writePicture writes the code to a new file that only its owner, the caller, can read. Nothing that is there is overwritten.
// It goes away again unless keep is told that the device is saved; a signal that ends the program leaves it empty.
func (p *program) writePicture(path string, code *qr.Code) (keep func(bool), err error) {
	picture, err := code.PNG()
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil, &failure{path + " exists; nothing was changed", "name a new file: it will hold the secret"}
	}
	if err != nil {
		return nil, err
	}
	// A signal may come while this is root, and the path may be another file's by then: so the file is emptied, not removed.
	done := p.Until(func() { f.Truncate(0) })
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
