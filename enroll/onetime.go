package main

import (
	"errors"
	"fmt"
	"time"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/audit"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/policy"
)

// oneTimeCode is what invite and bypass give out; its JSON is an interface.
type oneTimeCode struct {
	User  string     `json:"user"`
	Code  *string    `json:"code"`  // null: none is needed
	Until *time.Time `json:"until"` // null likewise
}

// ticketLife is how long a ticket works.
const ticketLife = 24 * time.Hour

// invite gives out a ticket for a first enrollment, once. A user who is enrolled needs none, and
// that is no failure: scripts invite whole groups.
func (p *program) invite(o options.Options) error {
	who, err := p.recipient(o)
	if err != nil {
		return err
	}
	rules, err := policy.Load(p.root, policy.DefaultPath)
	if err != nil {
		return err
	}
	code, c, err := enrollment.NewOneTimeCode(p.clock().Add(ticketLife))
	if err != nil {
		return err
	}
	err = p.store().SetTicket(p.asRoot(), who.User, c)
	if errors.Is(err, enrollment.ErrEnrolled) {
		return p.handOut(o, nil, oneTimeCode{User: who.Name},
			"%s has a second factor already and needs no ticket", who.Name)
	}
	if !made(err) {
		return err
	}
	p.logged(audit.Change{What: "invite", User: who.Name,
		Detail: "until " + c.Until.UTC().Format(time.RFC3339)})
	if needed, err := p.store().NeedsTicket(rules.Ticket); err == nil && !needed {
		fmt.Fprintln(p.Err, "enroll: warning: no one is asked for it: latchkey.toml does not "+
			"set enroll_ticket = true")
	}
	return p.handOut(o, err, oneTimeCode{who.Name, &code, &c.Until},
		"ticket for %s, good for one enrollment until %s", who.Name, minute(c.Until))
}

// bypass gives out a code that works once in place of a device's.
func (p *program) bypass(o options.Options) error {
	if o.Lasts < time.Minute || o.Lasts > factor.MaxOneTimeCode {
		return hint.Misuse("--for must be 1m to %dd, such as 30m, 1h, 1d or 2w",
			int(factor.MaxOneTimeCode.Hours()/24))
	}
	who, err := p.recipient(o)
	if err != nil {
		return err
	}
	code, c, err := enrollment.NewOneTimeCode(p.clock().Add(o.Lasts))
	if err != nil {
		return err
	}
	err = p.store().SetBypass(p.asRoot(), who.User, c)
	if errors.Is(err, factor.ErrUnenrolled) {
		return hint.Error(who.Name+" has no second factor to bypass",
			"latchkey.toml decides which users may log in without one; for a first "+
				"enrollment: enroll invite "+who.Name)
	}
	if !made(err) {
		return err
	}
	p.logged(audit.Change{What: "bypass", User: who.Name,
		Detail: "until " + c.Until.UTC().Format(time.RFC3339)})
	if s, err := p.statusOf(who); err == nil && s.locked() != "" {
		fmt.Fprintf(p.Err, "enroll: warning: %s is %s; to end that: enroll unlock %s\n",
			who.Name, s.locked(), who.Name)
	}
	return p.handOut(o, err, oneTimeCode{who.Name, &code, &c.Until},
		"code for %s, good for one login until %s; the user types it at the prompt for a code",
		who.Name, minute(c.Until))
}

// recipient is the user whom a command of root is about.
func (p *program) recipient(o options.Options) (identity, error) {
	name, err := o.Target()
	if err != nil {
		return identity{}, err
	}
	return lookUp(name)
}

// handOut prints the code alone, for people and scripts alike; what is said about it goes to
// standard error. saved is what is still wrong with it.
func (p *program) handOut(o options.Options, saved error, c oneTimeCode, format string,
	args ...any) error {
	if c.Until != nil {
		*c.Until = c.Until.UTC().Truncate(time.Second)
	}
	var err error
	if o.JSON {
		err = writeJSON(p.Out, c)
	} else {
		fmt.Fprintf(p.Err, "enroll: "+format+"\n", args...)
		if c.Code != nil {
			_, err = fmt.Fprintln(p.Out, *c.Code)
		}
	}
	if err != nil && c.Code != nil {
		return hint.Error(fmt.Sprintf("the code of %s is saved, but could not be written: %v",
			c.User, err), "run the same command again for another one")
	}
	return errors.Join(saved, err)
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") + " UTC" }
