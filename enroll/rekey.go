package main

import (
	"errors"
	"fmt"
	"strings"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/plural"
	"latchkey/pam/audit"
	"latchkey/pam/fleet/settings"
)

// rekey replaces the host key.
func (p *program) rekey(o options.Options) error {
	if err := p.ownUsers(o); err != nil {
		return err
	}
	done, err := p.local().Store.Rekey(p.asRoot(), p.counting("records sealed"))
	if !made(err) {
		next := hint.Of(hinted(err, ""))
		if next == "" {
			next = "until it is done both keys open records, and logins work; go on with: " +
				"enroll rekey"
		}
		return hint.Error(fmt.Sprintf("the host key is not replaced yet: %v", err), next)
	}
	p.logged(audit.Change{What: "rekey", Detail: plural.Of(done.Records, "record")})
	if len(done.Foreign) > 0 {
		fmt.Fprintf(p.Err, "enroll: warning: neither the old nor the new key opens the "+
			"records of %s, who could not log in before, either\n",
			strings.Join(done.Foreign, ", "))
	}
	if o.JSON {
		return errors.Join(err, writeJSON(p.Out, struct {
			Changed  bool     `json:"changed"`
			Records  int      `json:"records"`
			Trusting int      `json:"users_with_trusted_computers"`
			Foreign  []string `json:"unreadable"`
		}{true, done.Records, done.Trusting, append([]string{}, done.Foreign...)}))
	}
	_, said := fmt.Fprintf(p.Out, "rekeyed: %s sealed with a new host key; computers of %s are "+
		"no longer trusted\n", plural.Of(done.Records, "record"), plural.Of(done.Trusting, "user"))
	return errors.Join(err, said)
}

// ownUsers refuses a command that is about the files of this host where its users are a fleet's.
func (p *program) ownUsers(o options.Options) error {
	if !settings.InFleet(p.root) {
		return nil
	}
	return hint.Error("this host is in a fleet, which keeps the users and their keys; enroll "+
		o.Command.Name+" works on the files of a single host; nothing was changed",
		"latchkey-fleetd rotate replaces the fleet's keys, backups are those of its etcd, and "+
			"a new host joins with: enroll fleet join")
}
