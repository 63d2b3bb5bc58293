package main

import (
	"errors"
	"time"

	"latchkey/sshd/suite"
	"latchkey/sshd/suite/app"
)

// users are accounts that are enrolled in all modules with the same secret. They take turns, since
// no module takes a code twice: whoever has used one comes back with the next time step.
type users struct {
	host    *suite.Host
	writer  *writer
	first   *suite.User
	waiting []*user
}

type user struct {
	*suite.User
	step int64 // of the last code that was used
}

func newUsers(h *suite.Host) (*users, error) {
	first, err := h.User()
	if err != nil {
		return nil, err
	}
	w, err := newWriter(h, first)
	return &users{host: h, writer: w, first: first}, err
}

// atLeast is how many users are made at once.
const atLeast = 16

// take returns n users whose codes of now are unused.
func (u *users) take(n int) ([]*user, error) {
	now, ready := step(), 0
	for ready < len(u.waiting) && ready < n && u.waiting[ready].step < now {
		ready++
	}
	if ready < n {
		if err := u.add(max(n-ready, atLeast)); err != nil {
			return nil, err
		}
		return u.take(n)
	}
	taken := u.waiting[:n]
	u.waiting = u.waiting[n:]
	return taken, nil
}

// add puts new users in front.
func (u *users) add(n int) error {
	made, err := u.host.Users(n)
	if err != nil {
		return err
	}
	all := make([]*user, n)
	for i, m := range made {
		m.Secret = app.NewSecret()
		all[i] = &user{User: m}
	}
	u.waiting = append(all, u.waiting...)
	return errors.Join(u.writer.google(made), u.writer.oath(made), u.writer.latchkey(made))
}

// giveBack says that the users' codes may be used up.
func (u *users) giveBack(all []*user) {
	for _, one := range all {
		one.step = step()
	}
	u.waiting = append(u.waiting, all...)
}

// step is the time step of codes of now (RFC 6238 section 4.2).
func step() int64 { return time.Now().Unix() / int64(app.Step/time.Second) }
