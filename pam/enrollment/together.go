package enrollment

import (
	"errors"
	"runtime"
	"slices"

	"golang.org/x/sys/unix"

	"latchkey/pam/many"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
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
		for some := range slices.Chunk(all, together()) {
			each(some, runtime.GOMAXPROCS(0), s.stage)
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
			n.Err = ErrAlone
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
	if _, too := s.States.(state.Store); !files || !too {
		return ErrAlone
	}
	return records.EnsureKey()
}

// putInForce enrolls those of all who have no Err and are staged.
func (s Store) putInForce(all []*Newcomer) {
	defer func() {
		for _, n := range all {
			n.discard()
		}
	}()
	each(all, many.Waiting, (*Newcomer).flush)
	name(all, func(n *Newcomer) *safefile.Staged { return n.state })
	for _, n := range all {
		n.Err = safefile.Part(n.Err)
	}
	name(all, func(n *Newcomer) *safefile.Staged { return n.record })
	many.Each(all, runtime.GOMAXPROCS(0), func(n *Newcomer) error {
		if n.inForce() {
			s.finish(n.User.Name, n.id, (*state.File).CommitUnflushed)
		}
		return nil
	})
}

// each calls do for those who have no Err, several at a time, and notes its error.
func each(all []*Newcomer, most int, do func(*Newcomer) error) {
	many.Each(all, most, func(n *Newcomer) error {
		if n.Err == nil {
			n.Err = do(n)
		}
		return nil
	})
}

// name gives a file of each who has no Err its name. When it returns, the names are on the disk.
func name(all []*Newcomer, of func(*Newcomer) *safefile.Staged) {
	var named []*Newcomer
	for _, n := range all {
		if n.Err != nil {
			continue
		}
		switch n.Err = of(n).Name(); {
		case n.Err == nil:
			named = append(named, n)
		case errors.Is(n.Err, unix.EINVAL), errors.Is(n.Err, unix.ENOSYS):
			n.Err = ErrAlone // on a file system that can only replace
		}
	}
	if len(named) == 0 {
		return
	}
	if err := of(named[0]).FlushDir(); err != nil {
		for _, n := range named {
			n.Err = of(n).Undo(err)
		}
	}
}
