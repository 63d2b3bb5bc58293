// Package source reads the files of other second factors: which user has which secret, what of it
// was used, and what latchkey has no counterpart for.
//
// It only reads. Errors name file and line, and never quote what stands there: it could be a
// secret.
package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// MaxFile is the size of the largest file that is read, in bytes; one megabyte has 10,000 users.
const MaxFile = 64 << 20

// Entry is what a file says of one user.
type Entry struct {
	User    string // empty: the file does not say whose it is
	Devices []Device
	// scratch codes that are not used: 8 digits each, none twice, at most record.MaxRecovery
	Codes []string
	Lost  []string // what has no counterpart here, in the file's words
	Notes []string // what else the user should know
	Err   error    // why this user cannot be taken over; the others of the file can
}

// Device is a device with what was used of it.
type Device struct {
	record.Device
	// TOTP: the last time step used (0: none known); HOTP: the counter to expect next
	Counter uint64
}

// shortSecret is what RFC 4226 section 4 asks for, in bytes.
const shortSecret = 16

// add gives the entry one more device, if login could use it.
func (e *Entry) add(d Device, now time.Time) error {
	if err := d.Check(); err != nil {
		return err
	}
	if len(e.Devices) == state.MaxDevices {
		return fmt.Errorf("more than %d devices of one user", state.MaxDevices)
	}
	if slices.ContainsFunc(e.Devices, func(other Device) bool {
		return bytes.Equal(other.Secret, d.Secret)
	}) {
		return errors.New("another device of this user has this secret or number: its codes " +
			"would work twice")
	}
	if d.Type != method.Phone && len(d.Secret) < shortSecret {
		e.note(&e.Notes, fmt.Sprintf("the secret of %q has %d bytes, RFC 4226 asks for %d",
			d.Label, len(d.Secret), shortSecret))
	}
	from, err := wait(d, now)
	if err != nil {
		return err
	}
	if !from.IsZero() {
		e.note(&e.Notes, fmt.Sprintf("codes of %q are accepted from %s UTC on", d.Label,
			from.Format(time.DateTime)))
	}
	e.Devices = append(e.Devices, d)
	return nil
}

// note says something once.
func (e *Entry) note(to *[]string, text string) {
	if !slices.Contains(*to, text) {
		*to = append(*to, text)
	}
}

// freeLabel is base, or base-2 and so on if the entry has that.
func (e *Entry) freeLabel(base string) string {
	label := base
	for n := 2; slices.ContainsFunc(e.Devices, func(d Device) bool {
		return d.Label == label
	}); n++ {
		label = fmt.Sprintf("%s-%d", base, n)
	}
	return label
}

// farAhead is how far ahead of now a used time step may be: no phone that logged in was further
// off.
const farAhead = 24 * time.Hour

// wait tells from when on codes are accepted; zero: at once. A time step from far ahead was used
// while a clock was wrong: that user would be locked out for as long.
func wait(d Device, now time.Time) (from time.Time, err error) {
	if d.Type != method.TOTP || d.Counter <= oath.Step(&d.Device, now) {
		return time.Time{}, nil
	}
	if d.Counter > oath.Step(&d.Device, now.Add(farAhead)) {
		return time.Time{}, errors.New("a code from the future was used while a clock was " +
			"wrong; the user needs a new secret")
	}
	return time.Unix(int64(d.Counter)*int64(d.Period/time.Second), 0).UTC(), nil
}

// entries are those of a file with many users, in the order in which they first appear.
type entries struct {
	all    []*Entry
	byUser map[string]*Entry
}

// of is the user's entry. A line without a user has one of its own.
func (a *entries) of(user string) *Entry {
	if e := a.byUser[user]; e != nil {
		return e
	}
	e := &Entry{User: user}
	a.all = append(a.all, e)
	if a.byUser == nil {
		a.byUser = map[string]*Entry{}
	}
	if user != "" {
		a.byUser[user] = e
	}
	return e
}

// list is all entries. Of one that has an error nothing else is told.
func (a *entries) list() []Entry {
	list := make([]Entry, len(a.all))
	for i, e := range a.all {
		if list[i] = *e; e.Err != nil {
			list[i] = Entry{User: e.User, Err: e.Err}
		}
	}
	return list
}

// fail says of a line why the user cannot be taken over; the first reason stands.
func (e *Entry) fail(name string, line int, err error) {
	if e.Err == nil {
		e.Err = at(name, line, err)
	}
}

// at is an error of a line.
func at(name string, line int, err error) error { return fmt.Errorf("%s:%d: %w", name, line, err) }

// readText reads a whole file of at most limit bytes.
func readText(r io.Reader, name string, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s: larger than %d bytes", name, limit)
	}
	return b, nil
}
