package main

import (
	"fmt"

	"latchkey/pam/audit"
	"latchkey/pam/factor"
)

// codes makes new recovery codes; the old ones stop working.
func (p *program) codes(o options) error {
	if o.yes && p.uid != 0 {
		return &failure{"--yes is for root", "without it: enroll codes"}
	}
	who, err := p.enrolledUser(o.user)
	if err != nil {
		return err
	}
	if o.yes {
		return p.printCodes(p.keyring, who, func(code string) string { return code })
	}
	if !p.shown {
		return &failure{"output is not a terminal, so no codes are shown",
			"run it on a terminal, or as root: enroll codes --user NAME --yes"}
	}
	proven, err := p.prove(who)
	if err != nil {
		return err
	}
	return p.newCodes(proven, who)
}

// newCodes shows new recovery codes to a person.
func (p *program) newCodes(k factor.Keyring, who identity) error {
	fmt.Fprint(p.out, "\nRecovery codes, for when no device is at hand. Each works once. Print them or write them down;\n"+
		"they are not shown again. Earlier ones work no more.\n\n")
	return p.printCodes(k, who, func(code string) string { return "    " + code })
}

// printCodes saves a new set and prints it. It is saved first: codes on paper that do not work are worse than none.
func (p *program) printCodes(k factor.Keyring, who identity, line func(code string) string) error {
	codes, set, err := factor.NewRecovery()
	if err != nil {
		return err
	}
	if err := p.as0(func() error { return k.SetRecovery(who.name, who.uid, set) }); err != nil {
		return err
	}
	p.logged(audit.Change{What: "codes", User: who.name})
	for _, code := range codes {
		if _, err := fmt.Fprintln(p.out, line(code)); err != nil {
			return err
		}
	}
	return nil
}
