package main

import (
	"errors"
	"fmt"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/factor"
	"latchkey/pam/gate/names"
	"latchkey/pam/many"
	"latchkey/pam/opened"
	"latchkey/pam/record"
)

// orphan is a name with a second factor and, once it is known to be one, no account; its JSON is
// an interface.
type orphan struct {
	User string  `json:"user"`
	Was  *uint32 `json:"enrolled_uid"` // null: not known
	UID  *uint32 `json:"uid"`          // null: there is no such account; else that of another one
	err  error   // why there is none, or why it is not known
}

// listOrphans lists the users who have a second factor and no account, or whose name is another
// account's now. If the name service cannot tell about one of them it lists none, since people
// reset those who are listed.
func (p *program) listOrphans(o options.Options, enrolled []string) error {
	if p.inFleet() {
		return hint.Error("this host is one of a fleet, whose users need no account here",
			"to remove one from the whole fleet: enroll reset NAME")
	}
	all := []orphan{}
	k, done, err := opened.Once(p.keyring)
	if err != nil {
		return err
	}
	defer done()
	told := p.Progress("users read", len(enrolled))
	defer told.End()
	find := p.finder()
	for f := range many.Results(enrolled, func(name string) orphan {
		u := orphan{User: name}
		u.find(k, find)
		return u
	}) {
		told.Step()
		switch {
		case errors.Is(f.err, record.ErrName): // a file that no account can have, and reset refuses
			told.End()
			fmt.Fprintf(p.Err, "enroll: warning: %v; remove its file in /etc/latchkey/users\n", f.err)
		case f.err != nil && !errors.Is(f.err, names.ErrUnknown):
			return hint.Error(f.err.Error()+"; no orphans are listed", "try again when it can")
		case f.UID == nil || f.Was != nil && *f.UID != *f.Was:
			all = append(all, f)
		}
	}
	told.End()
	if o.JSON {
		return writeJSON(p.Out, all)
	}
	for _, u := range all {
		fmt.Fprintf(p.Out, "%-20s %v\n", u.User, u)
	}
	return nil
}

// find looks for the account of the name.
func (u *orphan) find(k factor.Keyring, lookUp func(name string) (identity, error)) {
	if uids := k.UIDs(u.User); len(uids) == 1 {
		u.Was = &uids[0]
	}
	who, err := lookUp(u.User)
	if u.err = err; err == nil {
		u.UID = &who.UID
	}
}

// String says why it is one.
func (u orphan) String() string {
	text := "no such account"
	if u.UID != nil {
		text = fmt.Sprintf("another account now, with uid %d", *u.UID)
	}
	if u.Was != nil {
		text += fmt.Sprintf("; enrolled with uid %d", *u.Was)
	}
	return text
}
