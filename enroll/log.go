package main

import (
	"os/user"
	"strconv"

	"latchkey/pam/audit"
)

// logged writes a change that was made into the system's log, beside the logins.
func (p *program) logged(c audit.Change) {
	c.By = strconv.Itoa(p.uid)
	if u, err := user.LookupId(c.By); err == nil {
		c.By = u.Username
	}
	p.as0(func() error { // so that the logger names root for the sender: anybody can write such a line
		audit.Syslog{Path: p.root + "/dev/log"}.Send(audit.Notice, c.String())
		return nil
	})
}
