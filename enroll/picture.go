package main

import (
	"fmt"

	"latchkey/enroll/app"
	"latchkey/enroll/options"
)

// withPicture writes the picture of the URI that the options ask for, and has work done that saves
// the device. The picture stays only if that succeeds.
func (p *program) withPicture(uri string, o options.Options, work func() error) error {
	if o.PNG == "" {
		return work()
	}
	keep, err := app.WritePicture(p.Console, o.PNG, uri)
	if err != nil {
		return err
	}
	err = work()
	keep(made(err))
	if made(err) {
		fmt.Fprintf(p.Err, "enroll: warning: %s holds the secret: remove it once it is "+
			"scanned\n", o.PNG)
	}
	return err
}
