package main

import (
	"fmt"

	"latchkey/enroll/people"
	"latchkey/pam/gate/names"
	"latchkey/pam/many"
	"latchkey/pam/record"
)

// identity is a user as the system's name service knows it (through libc, so that every name
// service counts).
type identity struct {
	record.User
	home string
}

// lookUp finds a user by name. The error matches names.ErrUnknown only if there is certainly no
// such user; it matches names.ErrUntold if there may be one.
func lookUp(name string) (identity, error) {
	if err := record.CheckName(name); err != nil {
		return identity{}, fmt.Errorf("%q: %w", name, err)
	}
	u, err := names.Lookup(name)
	if err != nil {
		return identity{}, err
	}
	return fromUser(u)
}

// finder returns lookUp for many users: without the home folder of those whom it has listed.
func (p *program) finder() func(name string) (identity, error) {
	all := new(people.Directory)
	return func(name string) (identity, error) {
		if u, ok := all.Listed(name); ok {
			return identity{User: u}, nil
		}
		return lookUp(name)
	}
}

// counting shows on a terminal how far something is.
func (p *program) counting(what string) many.Told {
	return func(all int) (step, end func()) {
		progress := p.Progress(what, all)
		return progress.Step, progress.End
	}
}

// lookUpID finds a user by uid. Errors are those of lookUp.
func lookUpID(uid int) (identity, error) {
	u, err := names.LookupID(uint32(uid))
	if err != nil {
		return identity{}, err
	}
	return fromUser(u)
}

func fromUser(u names.User) (identity, error) {
	if err := record.CheckName(u.Name); err != nil {
		return identity{}, fmt.Errorf("%q: %w", u.Name, err)
	}
	return identity{record.User{Name: u.Name, UID: u.UID}, u.Home}, nil
}
