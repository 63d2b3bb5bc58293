package main

import (
	"fmt"
	"strings"

	"latchkey/enroll/app/guide"
	"latchkey/enroll/fleet"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/audit"
	"latchkey/pam/enrollment"
)

// codes makes new recovery codes; the old ones stop working.
func (p *program) codes(o options.Options) error {
	if o.Yes && p.uid != 0 {
		return hint.Error("--yes is for root", "without it: enroll codes")
	}
	who, err := p.enrolledUser(o.User)
	if err != nil {
		return err
	}
	if o.Yes {
		codes, saved := p.replaceCodes(p.asRoot(), who)
		if !made(saved) {
			return saved
		}
		if _, err = fmt.Fprintln(p.Out, strings.Join(codes, "\n")); err != nil {
			return unseen(who, err)
		}
		return saved
	}
	if !p.Shown {
		return hint.Error("output is not a terminal, so no codes are shown",
			"run it on a terminal, or as root: enroll codes --user NAME --yes")
	}
	proof, err := p.proveNew(who, o)
	if err != nil {
		return err
	}
	return p.newCodes(proof, who)
}

// newCodes shows new recovery codes to a person.
func (p *program) newCodes(proof enrollment.Proof, who identity) error {
	codes, saved := p.replaceCodes(proof, who)
	if !made(saved) {
		return saved
	}
	if _, err := fmt.Fprint(p.Out, "\n"+guide.KeepCodes+guide.Codes(codes,
		1)+"\nThe old codes no longer work.\n"); err != nil {
		return unseen(who, err)
	}
	return saved
}

// unseen says that recovery codes were saved which no one has seen.
func unseen(who identity, err error) error {
	return hint.Error(fmt.Sprintf("the new codes of %s are saved, but could not be written: %v",
		who.Name, err), "make new ones: enroll codes")
}

// replaceCodes saves a new set. It is saved before it is seen: codes on paper that do not work
// are worse than none.
func (p *program) replaceCodes(proof enrollment.Proof, who identity) ([]string, error) {
	codes, set, err := enrollment.NewRecovery()
	if err == nil {
		err = p.Writable() // the user may have gone since the command began
	}
	if err != nil {
		return nil, err
	}
	err = p.AsRoot(func() error { return p.store().SetRecovery(proof, who.User, set) })
	if !made(err) {
		return nil, fleet.Unsure(err, "new recovery codes, which no one has seen, may have "+
			"replaced the old ones", "make new ones: enroll codes")
	}
	p.logged(audit.Change{What: "codes", User: who.Name})
	return codes, err
}
