package enrollment

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"latchkey/pam/many"
	"latchkey/pam/record"
)

// Rekeyed is what a new host key led to.
type Rekeyed struct {
	Records  int      // that are sealed with it
	Trusting int      // users who trusted a computer
	Foreign  []string // users whose records neither key opens; they are left as they are
}

// Rekey replaces the host key. Killed at any instant, it leaves every record one that opens, and
// goes on where it was when it is called again. Others may log in and enroll meanwhile. Trust ends,
// because its tags are keyed with the host key. It takes root.
func (s Store) Rekey(p Proof, told many.Told) (done Rekeyed, err error) {
	if err := p.allowsAll(); err != nil {
		return done, err
	}
	files, names, err := s.files()
	if err == nil {
		err = s.Exclusive(files.BeginRekey)
	}
	if err != nil {
		return done, err
	}
	step, end := told.Begin(len(names))
	defer end()
	// A few at a time, so that others who enroll get their turn.
	for some := range slices.Chunk(names, 500) {
		err := s.ExclusiveMany(func(s Store) error {
			return done.reseal(s, some, func(name string) bool {
				step()
				return s.endTrust(name)
			})
		})
		if err != nil {
			return done, err
		}
	}
	return done, s.ExclusiveMany(done.finish)
}

// finish drops the old key, once all records there are now open with the new one.
func (r *Rekeyed) finish(s Store) error {
	files, names, err := s.files()
	if err != nil {
		return err
	}
	r.Foreign = nil
	if err := r.reseal(s, names, func(string) bool { return false }); err != nil {
		return err
	}
	slices.Sort(r.Foreign)
	r.Records = len(names) - len(r.Foreign)
	return files.EndRekey()
}

// files are the records of this host, and the names of those who have one.
func (s Store) files() (files record.Store, names []string, err error) {
	files, ok := s.Records.(record.Store)
	if !ok {
		return files, nil, errors.New("the records are not files of this host")
	}
	names, err = files.Names()
	return files, names, err
}

// reseal seals some records with the new host key, side by side because they wait for the disk,
// and notes those that neither key opens. distrust ends a user's trust, and reports whether there
// was any.
func (r *Rekeyed) reseal(s Store, names []string, distrust func(name string) bool) error {
	files := s.Records.(record.Store)
	var mu sync.Mutex
	return many.Each(names, many.Waiting, func(name string) error {
		trusted, err := distrust(name), files.Reseal(name)
		mu.Lock()
		defer mu.Unlock()
		if trusted {
			r.Trusting++
		}
		switch {
		case errors.Is(err, record.ErrMAC):
			r.Foreign = append(r.Foreign, name)
		case err != nil:
			return fmt.Errorf("the record of %s: %w", name, err)
		}
		return nil
	})
}

// endTrust forgets the computers that a user trusts, and reports whether there were any. A state
// that cannot be written keeps tags that mean nothing.
func (s Store) endTrust(name string) bool {
	st, err := s.States.Open(name)
	if err != nil {
		return false
	}
	defer st.Close()
	if len(st.Trusts) == 0 {
		return false
	}
	st.Trusts = nil
	st.Commit()
	return true
}
