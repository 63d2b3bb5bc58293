package main

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// shownFolder has an empty file for each user who was shown a secret and has not completed the
// enrollment. It is gone with the next start of the machine, and only decides what a user is
// told: each try has a secret of its own, because somebody else who knows the password may have
// seen an earlier one, so an entry in the app from an earlier try makes no right codes.
const shownFolder = "/run/latchkey/shown"

// earlier notes that a secret is shown to the user, and returns what to say to one who has seen
// another before. Where nothing can be noted, it says nothing.
func (e *setup) earlier() string {
	if os.MkdirAll(e.Root+shownFolder, 0o700) != nil {
		return ""
	}
	f, err := os.OpenFile(e.shown(), os.O_WRONLY|os.O_CREATE|os.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return stale
	}
	if err == nil {
		f.Close()
	}
	return ""
}

// forget takes the note back: what the app has is right.
func (e *setup) forget() { os.Remove(e.shown()) }

// shown is the user's file. The name is one that a record can have, so it leads nowhere else.
func (e *setup) shown() string { return e.Root + shownFolder + "/" + e.Request.Name }
