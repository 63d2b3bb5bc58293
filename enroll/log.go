package main

import (
	"os"
	"os/user"
	"strconv"
	"time"

	"latchkey/pam/audit"
	"latchkey/pam/factor"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/method"
	"latchkey/pam/notify/dispatch"
	"latchkey/pam/notify/event"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// logged writes a change that was made into the system's log, beside the logins.
func (p *program) logged(c audit.Change) { p.logger()(c) }

// logger is logged for many changes: how they are logged is read once.
func (p *program) logger() func(audit.Change) {
	rules, _ := policy.Load(p.root, policy.DefaultPath) // without one the log is text
	return func(c audit.Change) {
		p.changed = true
		c.By = p.by()
		p.logAs(rules, audit.Notice, c)
		p.tellChange(rules, c)
	}
}

// callerName is the caller's name or, without one, the uid.
func (p *program) callerName() string {
	text := strconv.Itoa(p.uid)
	if u, err := user.LookupId(text); err == nil {
		return u.Username
	}
	return text
}

// refused writes a code that was not accepted into the system's log, as a login that it would
// not have let in. Judging it took from began on.
func (p *program) refused(who identity, o verdict.Outcome, began time.Time) {
	o.Tries = 1
	line := flow.Request{User: who.Name, Service: service}.Line(o, p.clock().Sub(began))
	p.log(audit.Warning, line)
}

// unconfirmed writes a code that was not one of a new device into the log. It is not charged: it
// was compared with a secret that its owner has just been shown or has typed, so nothing could
// be guessed.
func (p *program) unconfirmed(who identity, d record.Device) {
	o := verdict.Outcome{Reason: verdict.Wrong, Method: string(d.Type), Device: d.Label}
	o.Detail = "of a device that is not set up yet"
	p.refused(who, o, p.clock())
}

// compared tells of a code that was compared, where a login would: it was one that its owner
// should know of, or it locked them out.
func (p *program) compared(who identity, m factor.Match) {
	e := event.New("", p.clock())
	switch {
	case m.Result == factor.Accepted && m.Method == method.Recovery:
		e.Kind = event.RecoveryUsed
	case m.Result == factor.Accepted && m.Method == method.Bypass:
		e.Kind = event.BypassUsed
	case m.Result != factor.Locked && m.Lockout.Locked():
		e.Kind, e.Detail = event.Lock, m.Lockout.String()
	default:
		return
	}
	e.User, e.Method = who.Name, string(m.Method)
	rules, _ := policy.Load(p.root, policy.DefaultPath)
	p.happened(rules, e)
}

// eventOf are the changes that a program of the administrator's is told of.
var eventOf = map[string]event.Kind{
	"add": event.DeviceAdded, "remove": event.DeviceRemoved, "reset": event.DeviceRemoved,
}

// tellChange tells of a change that is in the log.
func (p *program) tellChange(rules *policy.Policy, c audit.Change) {
	kind, told := eventOf[c.What]
	if !told {
		return
	}
	e := event.New(kind, p.clock())
	e.User, e.By, e.Device = c.User, c.By, c.Device
	if kind == event.DeviceAdded {
		e.Method = c.Detail
	} else {
		e.Detail = c.Detail
	}
	p.happened(rules, e)
}

// happened starts the program of [notify] for an event, as the end of a login does. A policy that
// cannot be read (nil) names none; doctor says so.
func (p *program) happened(rules *policy.Policy, e event.Event) {
	if rules == nil {
		return
	}
	e.Service = service
	e.Host, _ = os.Hostname() // without a name there is none to tell
	p.AsRoot(func() error {
		log := logOf(p.root, rules)
		dispatch.Notifier{Root: p.root, Log: log}.Tell(rules.Notify.Program, e)
		return nil
	})
}

// log sends an entry as root, so that the logger names root for the sender: anyone can write such
// a line.
func (p *program) log(priority int, e audit.Entry) {
	rules, _ := policy.Load(p.root, policy.DefaultPath) // without one the log is text
	p.logAs(rules, priority, e)
}

func (p *program) logAs(rules *policy.Policy, priority int, e audit.Entry) {
	p.AsRoot(func() error {
		logOf(p.root, rules).Log(priority, e)
		return nil
	})
}

// logOf is the system's log, written as the policy says.
func logOf(root string, rules *policy.Policy) audit.Syslog {
	log := audit.System(root)
	log.JSON = rules != nil && rules.Log.Format == policy.LogJSON
	return log
}
