package main

import (
	"cmp"
	"fmt"
	"strings"

	"latchkey/enroll/app/guide"
	"latchkey/enroll/fleet"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/plural"
	"latchkey/pam/audit"
	"latchkey/pam/fleet/breakglass/issue"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/record"
)

// joinFleet makes this host one of a fleet. From then on the fleet's accounts count, and not its
// own.
func (p *program) joinFleet(o options.Options) error {
	ticket := o.Operand
	if ticket == "-" {
		question := ""
		if p.Typed() {
			question = "Ticket: "
		}
		line, err := p.AskLong(question)
		if err != nil {
			return err
		}
		ticket = line
	}
	j := fleet.Join{Root: p.root, Clock: p.clock, Ticket: ticket,
		Codes: func(u record.User) ([]string, error) { return issue.Codes(p.root, u) }}
	for _, name := range o.BreakGlass {
		who, err := lookUp(name)
		if err != nil {
			return err
		}
		j.BreakGlass = append(j.BreakGlass, who.User)
	}
	own, err := p.keyring.Names() // an unreadable folder would look like no users
	if err != nil {
		return err
	}
	joined, err := j.Run()
	if !made(err) {
		return err
	}
	p.logged(audit.Change{What: "join", Detail: "a fleet, as " + joined.Host})
	if len(own) > 0 {
		fmt.Fprintf(p.Err, "enroll: warning: %s of this host's own cannot be used from now on; "+
			"to take them into the fleet: enroll fleet import\n", plural.Of(len(own), "record"))
	}
	if o.JSON {
		return cmp.Or(err, writeJSON(p.Out, joined))
	}
	fmt.Fprintf(p.Out, "This host is now %s in the fleet. Its roles: %s.\n", joined.Host,
		strings.Join(joined.Roles, ", "))
	for _, b := range joined.BreakGlass {
		p.showBreakGlass(b)
	}
	return err
}

// showBreakGlass shows codes that count on this host alone.
func (p *program) showBreakGlass(b fleet.Codes) {
	fmt.Fprintf(p.Out, "\nBreak-glass codes of %s for this host. Each works once, and only while "+
		"no service\nof the fleet can be reached. Print them and lock them away:\n%s", b.User,
		guide.Codes(b.Codes, 1))
}

// breakGlass makes new break-glass codes of a user for this host.
func (p *program) breakGlass(o options.Options) error {
	s, err := settings.LoadPublic(p.root)
	switch {
	case !p.inFleet():
		return fleet.ErrNotJoined
	case err != nil:
		return err
	}
	who, err := p.recipient(o)
	if err != nil {
		return err
	}
	codes, err := issue.Codes(p.root, who.User)
	if !made(err) {
		return err
	}
	p.logged(audit.Change{What: "break-glass", User: who.Name})
	b := fleet.Codes{User: who.Name, Codes: codes}
	if !s.MayBreakGlass(who.Name) {
		fmt.Fprintf(p.Err, "enroll: warning: the codes do not work until %s says unreachable = "+
			"\"break-glass\" and names %s in break_glass\n", settings.Path, who.Name)
	}
	if o.JSON {
		return cmp.Or(err, writeJSON(p.Out, b))
	}
	p.showBreakGlass(b)
	return err
}

// fleetStatus says how this host stands in its fleet, and what will soon be wrong.
func (p *program) fleetStatus(o options.Options) error {
	if !p.inFleet() {
		return fleet.ErrNotJoined
	}
	s := p.fleetExamination().Run()
	if o.JSON {
		if err := writeJSON(p.Out, s); err != nil {
			return err
		}
	} else {
		s.Write(p.Out)
	}
	if bad := s.Bad(); bad > 0 {
		return hint.Error(fmt.Sprintf("%d of %s failed", bad, plural.Of(len(s.Checks), "check")),
			"")
	}
	return nil
}

func (p *program) fleetExamination() fleet.Examination {
	return fleet.Examination{Root: p.root, Clock: p.clock, Left: func(name string) (int, error) {
		who, err := lookUp(name)
		if err != nil {
			return 0, err
		}
		return issue.Left(p.root, who.User)
	}}
}

// leaveFleet makes this host a single one again.
func (p *program) leaveFleet(o options.Options) error {
	if !p.inFleet() {
		return fleet.ErrNotJoined
	}
	if !o.Yes {
		return hint.Error("this takes the users of the fleet away from this host; nothing was "+
			"changed", "bring users back first: enroll fleet export NAME; then: enroll fleet leave "+
			"--yes")
	}
	if err := fleet.Leave(p.root); err != nil {
		return err
	}
	p.logged(audit.Change{What: "leave", Detail: "the fleet"})
	if o.JSON {
		return writeJSON(p.Out, struct {
			Changed bool `json:"changed"`
		}{true})
	}
	fmt.Fprintln(p.Out, "This host is no longer one of the fleet. Its own records count again.\n"+
		"Tell the fleet, too: latchkey-fleetd host revoke NAME")
	return nil
}
