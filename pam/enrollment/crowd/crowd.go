// Package crowd puts the files of many new users in force together.
//
// Each step is made for all of them before the next one is made for any: the files are flushed,
// the states get their names, these are flushed, and then the same for the records. So after a
// crash at any instant each user has nothing, a state alone, or both, and the disk is waited for a
// few times for all of them.
package crowd

import (
	"errors"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
)

// ErrAlone says that a user cannot be enrolled together with others, but perhaps alone: they have
// a record or a state already, or the name or uid of one of the others.
var ErrAlone = errors.New("not to be enrolled together with others")

// Member is one of the users.
type Member struct {
	State, Record *safefile.Staged // nil: not written
	// Err says why the user is not enrolled; one that matches safefile.ErrInForce, why that may
	// not last.
	Err error
}

// InForce reports whether the user is enrolled now.
func (m *Member) InForce() bool { return m.Err == nil || errors.Is(m.Err, safefile.ErrInForce) }

// Crowd is some users.
type Crowd []*Member

// PutInForce puts the files of those who have no Err in force. The others are not touched.
func (c Crowd) PutInForce() {
	state := func(m *Member) *safefile.Staged { return m.State }
	record := func(m *Member) *safefile.Staged { return m.Record }
	c.flush(state)
	c.flush(record)
	c.name(state)
	for _, m := range c {
		m.Err = safefile.Part(m.Err)
	}
	c.name(record)
}

// flush brings a file of each who has no Err to the disk.
func (c Crowd) flush(of func(*Member) *safefile.Staged) {
	var sound Crowd
	var files []*safefile.Staged
	for _, m := range c {
		if m.Err == nil {
			sound, files = append(sound, m), append(files, of(m))
		}
	}
	for i, err := range safefile.FlushAll(files) {
		sound[i].Err = err
	}
}

// name gives a file of each who has no Err its name. When it returns, the names are on the disk.
func (c Crowd) name(of func(*Member) *safefile.Staged) {
	var named Crowd
	for _, m := range c {
		if m.Err != nil {
			continue
		}
		switch m.Err = of(m).Name(); {
		case m.Err == nil:
			named = append(named, m)
		case errors.Is(m.Err, unix.EINVAL), errors.Is(m.Err, unix.ENOSYS):
			m.Err = ErrAlone // on a file system that can only replace
		}
	}
	if len(named) == 0 {
		return
	}
	if err := of(named[0]).FlushDir(); err != nil {
		for _, m := range named {
			m.Err = of(m).Undo(err)
		}
	}
}

// Discard removes what is left of those who are not enrolled. A state that cannot be removed
// belongs to no record.
func (c Crowd) Discard() {
	for _, m := range c {
		if m.State != nil && !m.InForce() {
			m.State.Undo(nil)
		}
		for _, file := range []*safefile.Staged{m.State, m.Record} {
			if file != nil {
				file.Discard()
			}
		}
	}
}

// Most is how many users a crowd should have: enough that the disk is hardly ever waited for. Two
// files of each are open, and as many of users who are next.
func Most() int {
	const enough = 512
	var files unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &files) != nil {
		return 1
	}
	return int(max(1, min(enough, files.Cur/8)))
}
