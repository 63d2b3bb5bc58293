package doctor

import (
	"errors"

	"latchkey/pam/factor"
	nameservice "latchkey/pam/gate/names"
	"latchkey/pam/many"
	"latchkey/pam/method"
	"latchkey/pam/opened"
	"latchkey/pam/record"
)

// enrolled is a user who has a record, or has lost it.
type enrolled struct {
	name       string
	uid        uint32 // in the record
	unreadable error  // why that is not known
	renamed    string // what the account with that uid is called now, if this name is gone
	err        error  // why a login is denied
	copied     bool   // the state is on a disk that copies it when it is written
	keys       keys
}

// keys says which security keys a user has.
type keys struct{ any, bare bool } // bare: one that no maker attests

// survey reads every record and its state, in a run once for all checks.
func (d Doctor) survey() ([]enrolled, error) {
	if d.users == nil {
		return d.surveyed()
	}
	return d.users()
}

func (d Doctor) surveyed() (all []enrolled, err error) {
	names, err := d.Keyring.Names()
	if err != nil {
		return nil, err
	}
	k, done, err := opened.Once(d.Keyring)
	if err != nil {
		return nil, err
	}
	defer done()
	d.Keyring = k
	step, end := d.Reading.Begin(len(names))
	defer end()
	for u := range many.Results(names, d.look) {
		step()
		all = append(all, u)
	}
	return all, nil
}

// look reads the record and state of one user, as a login does.
func (d Doctor) look(name string) (u enrolled) {
	u.name = name
	u.uid, u.unreadable = d.Keyring.Records.UID(name)
	u.copied, _ = d.Keyring.States.CopiedOnWrite(name) // what cannot be read is not
	found, err := d.LookUp(name)
	if err != nil {
		u.err = err
		if u.unreadable == nil && !errors.Is(err, nameservice.ErrUntold) {
			u.renamed = d.otherName(u)
		}
		return u
	}
	r, _, err := d.Keyring.View(record.User{Name: name, UID: found.UID})
	switch {
	case errors.Is(err, factor.ErrUnenrolled): // removed since its name was read
	case err != nil:
		u.err = err
	default:
		u.keys = keysOf(r)
	}
	return u
}

// otherName is what the account with a user's uid is called, if that is another name.
func (d Doctor) otherName(u enrolled) string {
	if now := d.nameOf(u.uid); now != u.name {
		return now
	}
	return ""
}

func keysOf(r *record.Record) (k keys) {
	for _, device := range r.Devices {
		if device.Type == method.Key {
			k.any, k.bare = true, k.bare || !device.Attested
		}
	}
	return k
}
