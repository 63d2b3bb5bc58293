package main

import (
	"fmt"

	"latchkey/pam/gate/names"
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
