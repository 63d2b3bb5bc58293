package main

import (
	"errors"
	"fmt"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/gate/names"
	"latchkey/pam/record"
)

// orphan is a name with a second factor and no account; its JSON is an interface.
type orphan struct {
	User string  `json:"user"`
	Was  *uint32 `json:"enrolled_uid"` // null: not known
	UID  *uint32 `json:"uid"`          // null: there is no such account; else that of another one
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
	for _, name := range enrolled {
		u := orphan{User: name}
		if err := p.AsRoot(func() error {
			if uids := p.keyring.UIDs(name); len(uids) == 1 {
				u.Was = &uids[0]
			}
			return nil
		}); err != nil {
			return err
		}
		who, err := lookUp(name)
		if errors.Is(err, record.ErrName) { // a file that no account can have, and reset refuses
			fmt.Fprintf(p.Err, "enroll: warning: %v; remove its file in /etc/latchkey/users\n", err)
			continue
		}
		if err != nil && !errors.Is(err, names.ErrUnknown) {
			return hint.Error(err.Error()+"; no orphans are listed", "try again when it can")
		}
		if err == nil {
			u.UID = &who.UID
		}
		if u.UID == nil || u.Was != nil && *u.UID != *u.Was {
			all = append(all, u)
		}
	}
	if o.JSON {
		return writeJSON(p.Out, all)
	}
	for _, u := range all {
		fmt.Fprintf(p.Out, "%-20s %v\n", u.User, u)
	}
	return nil
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
