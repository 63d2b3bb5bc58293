package main

import (
	"errors"
	"fmt"
	"sync"

	"latchkey/enroll/fleet"
	"latchkey/enroll/fleet/reach"
	"latchkey/enroll/hint"
	"latchkey/enroll/migrate"
	"latchkey/enroll/migrate/source"
	"latchkey/enroll/options"
	"latchkey/pam/audit"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// importFiles takes users over from the files of other second factors.
func (p *program) importFiles(o options.Options) error {
	if err := importable(o); err != nil {
		return err
	}
	how := p.migration(o)
	if p.inFleet() {
		end, err := p.intoFleet(&how)
		if err != nil {
			return err
		}
		defer end()
	}
	outcomes, stopped := migrate.Run(o.Files, how)
	if err := p.writeOutcomes(outcomes, o.JSON); err != nil {
		what := "the import is done, but its report could not be written: " + err.Error()
		return hint.Error(what, "run it again: users who are already imported stay unchanged")
	}
	bad, changed := 0, 0
	for _, became := range outcomes {
		if became.Bad() {
			bad++
		}
		if became.Changed() {
			changed++
		}
	}
	switch {
	case stopped != nil:
		return fleet.Interrupted(stopped, changed)
	case bad > 0:
		what := fmt.Sprintf("%d of %d not imported", bad, len(outcomes))
		return hint.Error(what, "each line says why; the others are done")
	}
	return nil
}

// intoFleet has users saved in the fleet of this host.
func (p *program) intoFleet(how *migrate.Options) (end func(), err error) {
	accounts, end, err := reach.Many(p.root, p.clock)
	if err != nil {
		return nil, err
	}
	how.Fleet = &migrate.Fleet{TakeOver: accounts.TakeOver, Most: reach.AtOnce,
		Stops: fleet.Ends}
	return end, nil
}

// importable refuses options that do not go together.
func importable(o options.Options) error {
	if len(o.Files) == 0 {
		return hint.Misuse("enroll import needs FILE")
	}
	if o.User != "" && len(o.Files) > 1 {
		return hint.Misuse("--user works with only one FILE")
	}
	switch source.Format(o.Format) {
	case "", source.GoogleFormat, source.OathFormat, source.CSVFormat:
		return nil
	}
	return hint.Misuse("--format must be google, oath or csv")
}

func (p *program) migration(o options.Options) migrate.Options {
	find, log := p.finder(), p.logger()
	return migrate.Options{
		Store: p.local().Store, Proof: p.asRoot(), Clock: p.clock, CheckPhone: p.checkPhone(),
		Told:     p.counting("users saved"),
		LookUp:   func(name string) (migrate.User, error) { return migrating(find(name)) },
		LookUpID: func(uid int) (migrate.User, error) { return migrating(lookUpID(uid)) },
		Changed: func(became migrate.Outcome) {
			log(audit.Change{What: "import", User: became.User, Detail: became.Result})
		},
		Format: source.Format(o.Format), User: o.User, Replace: o.Replace,
	}
}

func migrating(who identity, err error) (migrate.User, error) {
	return migrate.User{User: who.User, Home: who.home}, err
}

// checkPhone refuses what enroll add phone refuses. The policy is read when the first phone is
// met.
func (p *program) checkPhone() func(record.Device) error {
	load := func() (*policy.Policy, error) { return policy.Load(p.root, policy.DefaultPath) }
	loaded := sync.OnceValues(load)
	return func(d record.Device) error {
		rules, err := loaded()
		switch {
		case err != nil:
			return err
		case len(rules.Phone.Methods) == 0:
			return errors.New("phones are switched off in latchkey.toml")
		case !rules.Phone.Allows(string(d.Secret)):
			return errors.New("no codes are sent to numbers of this country: " +
				"see prefixes in latchkey.toml")
		case likeNumber(d.Label):
			return errors.New("the label of a phone must not be a phone number")
		}
		return nil
	}
}

func (p *program) writeOutcomes(outcomes []migrate.Outcome, asJSON bool) error {
	if asJSON {
		return writeJSON(p.Out, outcomes)
	}
	for _, became := range outcomes {
		if _, err := fmt.Fprintln(p.Out, became.Line()); err != nil {
			return err
		}
	}
	return nil
}
