package enrollment

import (
	"errors"
	"fmt"
	"slices"
	"sync"

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
func (s Store) Rekey(p Proof) (done Rekeyed, err error) {
	if err := p.allowsAll(); err != nil {
		return done, err
	}
	files, ok := s.Records.(record.Store)
	if !ok {
		return done, errors.New("the records are not files of this host")
	}
	if err := s.Exclusive(files.BeginRekey); err != nil {
		return done, err
	}
	names, err := files.Names()
	if err != nil {
		return done, err
	}
	// A few at a time, so that others who enroll get their turn.
	for some := range slices.Chunk(names, 200) {
		err := s.Exclusive(func() error {
			done.Trusting += s.endTrusts(some)
			return done.reseal(files, some)
		})
		if err != nil {
			return done, err
		}
	}
	return done, s.Exclusive(func() error { return done.finish(files) })
}

// finish drops the old key, once all records there are now open with the new one.
func (r *Rekeyed) finish(files record.Store) error {
	names, err := files.Names()
	if err != nil {
		return err
	}
	r.Foreign = nil
	if err := r.reseal(files, names); err != nil {
		return err
	}
	slices.Sort(r.Foreign)
	r.Records = len(names) - len(r.Foreign)
	return files.EndRekey()
}

// reseal seals some records with the new host key, side by side because they wait for the disk, and
// notes those that neither key opens.
func (r *Rekeyed) reseal(files record.Store, names []string) (err error) {
	var (
		mu      sync.Mutex
		workers sync.WaitGroup
	)
	queue := make(chan string)
	for range 8 {
		workers.Go(func() {
			for name := range queue {
				failed := files.Reseal(name)
				mu.Lock()
				switch {
				case errors.Is(failed, record.ErrMAC):
					r.Foreign = append(r.Foreign, name)
				case failed != nil && err == nil:
					err = fmt.Errorf("the record of %s: %w", name, failed)
				}
				mu.Unlock()
			}
		})
	}
	for _, name := range names {
		queue <- name
	}
	close(queue)
	workers.Wait()
	return err
}

// endTrusts forgets the computers that users trust, and returns how many users had any. A state
// that cannot be written keeps tags that mean nothing.
func (s Store) endTrusts(names []string) (trusting int) {
	for _, name := range names {
		st, err := s.States.Open(name)
		if err != nil {
			continue
		}
		if len(st.Trusts) > 0 {
			trusting++
			st.Trusts = nil
			st.Commit()
		}
		st.Close()
	}
	return trusting
}
