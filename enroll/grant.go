package main

import (
	"errors"
	"fmt"
	"time"

	"latchkey/pam/audit"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/policy"
)

// granted is what invite and bypass give out; its JSON is an interface.
type granted struct {
	User  string     `json:"user"`
	Code  *string    `json:"code"`  // null: none is needed
	Until *time.Time `json:"until"` // null likewise
}

// ticketLife is how long a ticket works.
const ticketLife = 24 * time.Hour

// invite gives out a ticket for a first enrollment, once. A user who is enrolled needs none, and that is no failure: scripts
// invite whole groups.
func (p *program) invite(o options) error {
	who, err := p.granting(o)
	if err != nil {
		return err
	}
	rules, err := policy.Load(p.root, policy.DefaultPath)
	if err != nil {
		return err
	}
	code, g, err := enrollment.NewGrant(p.clock().Add(ticketLife))
	if err != nil {
		return err
	}
	err = p.store().SetTicket(p.asRoot(), who.User, g)
	if errors.Is(err, enrollment.ErrEnrolled) {
		return p.grant(o, nil, granted{User: who.Name}, "%s has a second factor already and needs no ticket", who.Name)
	}
	if !made(err) {
		return err
	}
	p.logged(audit.Change{What: "invite", User: who.Name, Detail: "until " + g.Until.UTC().Format(time.RFC3339)})
	if !rules.Ticket {
		fmt.Fprintln(p.err, "enroll: warning: no one is asked for it: latchkey.toml does not set enroll_ticket = true")
	}
	return p.grant(o, err, granted{who.Name, &code, &g.Until}, "ticket for %s, good for one enrollment until %s", who.Name, minute(g.Until))
}

// bypass gives out a code that works once in place of a device's.
func (p *program) bypass(o options) error {
	if o.lasts < time.Minute || o.lasts > factor.MaxGrant {
		return misused("--for must be 1m to %dh", int(factor.MaxGrant.Hours()))
	}
	who, err := p.granting(o)
	if err != nil {
		return err
	}
	code, g, err := enrollment.NewGrant(p.clock().Add(o.lasts))
	if err != nil {
		return err
	}
	err = p.store().SetBypass(p.asRoot(), who.User, g)
	if errors.Is(err, factor.ErrUnenrolled) {
		return &failure{who.Name + " has no second factor to bypass", "latchkey.toml decides which users may log in without one; for a first enrollment: enroll invite " + who.Name}
	}
	if !made(err) {
		return err
	}
	p.logged(audit.Change{What: "bypass", User: who.Name, Detail: "until " + g.Until.UTC().Format(time.RFC3339)})
	if s, err := p.statusOf(who); err == nil && s.locked() != "" {
		fmt.Fprintf(p.err, "enroll: warning: %s is %s; to end that: enroll unlock %s\n", who.Name, s.locked(), who.Name)
	}
	return p.grant(o, err, granted{who.Name, &code, &g.Until}, "code for %s, good for one login until %s; the user types it at the prompt for a code", who.Name, minute(g.Until))
}

func (p *program) granting(o options) (identity, error) {
	name, err := target(o)
	if err != nil {
		return identity{}, err
	}
	return lookUp(name)
}

// grant prints the code alone, for people and scripts alike; what is said about it goes to standard error. saved is what is still
// wrong with it.
func (p *program) grant(o options, saved error, g granted, format string, args ...any) error {
	if g.Until != nil {
		*g.Until = g.Until.UTC().Truncate(time.Second)
	}
	var err error
	if o.json {
		err = writeJSON(p.out, g)
	} else {
		fmt.Fprintf(p.err, "enroll: "+format+"\n", args...)
		if g.Code != nil {
			_, err = fmt.Fprintln(p.out, *g.Code)
		}
	}
	if err != nil && g.Code != nil {
		return &failure{fmt.Sprintf("the code of %s is saved, but could not be written: %v", g.User, err), "run the same command again for another one"}
	}
	return errors.Join(saved, err)
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }
