package main

import (
	"os/user"
	"strconv"
	"time"

	"latchkey/pam/audit"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
)

// logged writes a change that was made into the system's log, beside the logins.
func (p *program) logged(c audit.Change) {
	p.changed = true
	c.By = strconv.Itoa(p.uid)
	if u, err := user.LookupId(c.By); err == nil {
		c.By = u.Username
	}
	p.log(audit.Notice, c.String())
}

// refused writes a code that was not accepted into the system's log, as a login that it would
// not have let in. Judging it took from began on.
func (p *program) refused(who identity, o verdict.Outcome, began time.Time) {
	o.Tries = 1
	line := flow.Request{User: who.Name, Service: service}.Line(o, p.clock().Sub(began))
	p.log(audit.Warning, line.String())
}

// unconfirmed writes a code that was not one of a new device into the log. It is not charged: it
// was compared with a secret that its owner has just been shown or has typed, so nothing could
// be guessed.
func (p *program) unconfirmed(who identity, d record.Device) {
	o := verdict.Outcome{Reason: verdict.Wrong, Method: string(d.Type), Device: d.Label}
	o.Detail = "of a device that is not set up yet"
	p.refused(who, o, p.clock())
}

// log sends a line as root, so that the logger names root for the sender: anyone can write such
// a line.
func (p *program) log(priority int, line string) {
	p.AsRoot(func() error {
		audit.Syslog{Path: p.root + "/dev/log"}.Send(priority, line)
		return nil
	})
}
