package main

import (
	"fmt"

	"latchkey/enroll/hint"
	"latchkey/enroll/missing"
	"latchkey/enroll/options"
)

// listMissing lists the users who could log in and have not enrolled.
func (p *program) listMissing(o options.Options, enrolled []string) error {
	all, err := p.absent(enrolled)
	if err != nil {
		return hint.Error(err.Error(), "getent passwd must list them (see /etc/nsswitch.conf)")
	}
	if o.JSON {
		if all == nil {
			all = []missing.User{}
		}
		return writeJSON(p.Out, all)
	}
	for _, u := range all {
		fmt.Fprintf(p.Out, "%-20s uid %d, password %s, %s\n", u.Name, u.UID, u.Password, u.Shell)
	}
	return nil
}

// absent finds the users who could log in and are not among enrolled.
func (p *program) absent(enrolled []string) ([]missing.User, error) {
	told := p.Progress("entries of passwd and shadow read", 0)
	defer told.End()
	return missing.Find(p.root, enrolled, told.Step)
}
