package main

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"

	"latchkey/pam/record"
)

// identity is a user as the system's name service knows it (through libc, so that every name service counts).
type identity struct {
	name string
	uid  uint32
}

// lookUp finds a user by name.
func lookUp(name string) (identity, error) {
	if err := record.CheckName(name); err != nil {
		return identity{}, fmt.Errorf("%q: %w", name, err)
	}
	u, err := user.Lookup(name)
	if unknown := user.UnknownUserError(""); errors.As(err, &unknown) {
		return identity{}, &failure{fmt.Sprintf("no such user: %q", name), ""}
	}
	if err != nil {
		return identity{}, fmt.Errorf("look up the user %q: %w", name, err)
	}
	return fromUser(u)
}

// lookUpID finds the user who runs the program.
func lookUpID(uid int) (identity, error) {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return identity{}, fmt.Errorf("look up uid %d: %w", uid, err)
	}
	return fromUser(u)
}

func fromUser(u *user.User) (identity, error) {
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return identity{}, fmt.Errorf("uid of %q: %w", u.Username, err)
	}
	if err := record.CheckName(u.Username); err != nil {
		return identity{}, fmt.Errorf("%q: %w", u.Username, err)
	}
	return identity{u.Username, uint32(uid)}, nil
}

// whom decides for whom the command works: only root may name somebody else.
func (p *program) whom(named string) (identity, error) {
	self, err := lookUpID(p.uid)
	if err != nil || named == "" || named == self.name {
		return self, err
	}
	if p.uid == 0 {
		return lookUp(named)
	}
	// Another name of the same uid is the same person; whether the password is that name's PAM decides.
	if alias, err := lookUp(named); err == nil && int(alias.uid) == p.uid {
		return alias, nil
	}
	return identity{}, &failure{"only root may name another user", "without --user the command works for you"}
}
