package enrollment

import (
	"runtime"
	"slices"

	"latchkey/pam/enrollment/crowd"
	"latchkey/pam/many"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// EnrollMany is root's Enroll for many users, each of whom gets an Err. The caller is a change of
// ExclusiveMany, and s is its Store. After it, Import may enroll several users at the same time.
//
// Each step of Enroll is made for some hundred users before the next one is made for any. So what
// Enroll leaves after a crash at any instant is what is left of each of them, and the disk is
// waited for a few times for all.
func (s Store) EnrollMany(p Proof, all []*Newcomer) {
	if len(all) == 0 {
		return
	}
	s.prepare(p, all)
	staged := make(chan []*Newcomer)
	go func() {
		defer close(staged)
		for some := range slices.Chunk(all, crowd.Most()) {
			many.Each(some, runtime.GOMAXPROCS(0), func(n *Newcomer) error {
				if n.Err == nil {
					n.Err = s.stage(n)
				}
				return nil
			})
			staged <- some
		}
	}()
	for some := range staged { // while the next are written
		s.putInForce(some)
	}
}

// prepare makes what users share, and finds those of all who cannot be enrolled together.
func (s Store) prepare(p Proof, all []*Newcomer) {
	failed := s.share(p)
	names, uids := map[string]bool{}, map[uint32]bool{}
	for _, n := range all {
		switch n.Err = failed; {
		case failed != nil:
		case names[n.User.Name], uids[n.User.UID]:
			n.Err = crowd.ErrAlone
		}
		names[n.User.Name], uids[n.User.UID] = true, true
	}
	phones := slices.DeleteFunc(slices.Clone(all), func(n *Newcomer) bool {
		return failed != nil || !n.Has.hasPhone()
	})
	if len(phones) == 0 {
		return
	}
	if err := s.ensureHost(); err != nil {
		for _, n := range phones {
			n.Err = err
		}
	}
}

// share makes what all users share.
func (s Store) share(p Proof) error {
	if err := p.allowsAll(); err != nil {
		return err
	}
	records, files := s.Records.(record.Store)
	if _, too := s.States.(state.Store); !files || !too || s.Owners == nil {
		return crowd.ErrAlone
	}
	return records.EnsureKey()
}

// putInForce enrolls those of all who have no Err and are staged.
func (s Store) putInForce(all []*Newcomer) {
	files := make(crowd.Crowd, len(all))
	for i, n := range all {
		files[i] = &n.Member
	}
	defer files.Discard()
	files.PutInForce()
	many.Each(all, runtime.GOMAXPROCS(0), func(n *Newcomer) error {
		if n.InForce() {
			s.finish(n.User.Name, n.id, (*state.File).CommitUnflushed)
		}
		return nil
	})
}
