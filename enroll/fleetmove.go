package main

import (
	"fmt"

	"latchkey/enroll/fleet"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/audit"
	"latchkey/pam/record"
)

// importIntoFleet takes users of this host's own into the fleet.
func (p *program) importIntoFleet(o options.Options) error {
	var names []string
	if o.User != "" {
		names = []string{o.User}
	}
	return p.moved(o, "import", "into the fleet", func(m fleet.Move) ([]fleet.Moved, error) {
		return m.Import(names)
	})
}

// exportFromFleet takes users out of the fleet, back to this host alone. Their secrets come to it,
// so each is a line in its log and in the fleet's.
func (p *program) exportFromFleet(o options.Options) error {
	return p.moved(o, "export", "out of the fleet", func(m fleet.Move) ([]fleet.Moved, error) {
		return m.Export(o.Files)
	})
}

// moved moves users and says what became of each.
func (p *program) moved(o options.Options, what, where string,
	move func(fleet.Move) ([]fleet.Moved, error)) error {
	if !p.inFleet() {
		return fleet.ErrNotJoined
	}
	all, stopped := move(fleet.Move{
		Root: p.root, Clock: p.clock, Store: p.local().Store,
		LookUp: func(name string) (record.User, error) {
			who, err := lookUp(name)
			return who.User, err
		},
		Changed: func(m fleet.Moved) {
			p.logged(audit.Change{What: what, User: m.User, Detail: where})
		},
	})
	bad := 0
	for _, m := range all {
		if m.Bad() {
			bad++
		}
		if !o.JSON {
			fmt.Fprintln(p.Out, m.Line())
		}
	}
	if o.JSON {
		if err := writeJSON(p.Out, all); err != nil {
			return err
		}
	}
	switch {
	case stopped != nil:
		return fleet.Interrupted(stopped, len(all)-bad)
	case bad > 0:
		return hint.Error(fmt.Sprintf("%d of %d were not moved", bad, len(all)),
			"each line says why; run it again after that: the others are done")
	}
	return nil
}
