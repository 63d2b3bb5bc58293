package main

import (
	"cmp"
	"fmt"

	"latchkey/enroll/app"
	"latchkey/enroll/app/guide"
	"latchkey/enroll/app/otpauth"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/audit"
	"latchkey/pam/enrollment"
	"latchkey/pam/record"
)

// setUp is enroll alone: the first device and recovery codes, in three steps. Both are saved at
// once.
func (p *program) setUp(o options.Options) error {
	who, err := p.whom(o.User)
	if err != nil {
		return err
	}
	if enrolled, err := p.enrolled(who); err != nil {
		return err
	} else if enrolled {
		return hint.Error(who.Name+" has a second factor already",
			"see it with: enroll status"+o.ForUser()+"; add a device with: enroll "+
				"add totp"+o.ForUser()+"; for a new phone: enroll replace"+o.ForUser())
	}
	return p.setUpApp(who, o, 3, func(proof enrollment.Proof, d record.Device, step uint64) error {
		return p.saveFirst(proof, who, d, step)
	})
}

// saveFirst saves a first device with recovery codes, and shows those.
func (p *program) saveFirst(proof enrollment.Proof, who identity, d record.Device,
	step uint64) error {
	codes, saved := p.enroll(proof, who, d, step)
	if !made(saved) {
		return saved
	}
	if err := p.showCodes(who, codes); err != nil {
		return err
	}
	p.saidDone(who, d)
	return saved
}

// showCodes shows recovery codes that came with an app, which is the last of three steps.
func (p *program) showCodes(who identity, codes []string) error {
	if _, err := fmt.Fprint(p.Out, "Step 3 of 3. "+guide.KeepCodes+guide.Codes(codes,
		1)+"\n"); err != nil {
		return unseen(who, err)
	}
	return nil
}

// enroll saves a first device with new recovery codes, both at once.
func (p *program) enroll(proof enrollment.Proof, who identity, d record.Device,
	step uint64) (codes []string, saved error) {
	codes, set, err := enrollment.NewRecovery()
	if err != nil {
		return nil, err
	}
	all := enrollment.Enrollment{Devices: []record.Device{d}, Counters: []uint64{step},
		Recovery: set}
	saved = p.AsRoot(func() error { return p.store().Enroll(proof, who.User, all) })
	if made(saved) {
		p.logged(audit.Change{What: "add", User: who.Name, Device: d.Label,
			Detail: string(d.Type)})
		p.logged(audit.Change{What: "codes", User: who.Name})
	}
	return codes, saved
}

// addApp gives a user one more app, in two steps.
func (p *program) addApp(who identity, o options.Options) error {
	return p.setUpApp(who, o, 2, func(proof enrollment.Proof, d record.Device, step uint64) error {
		saved := p.save(proof, who, d, step)
		if made(saved) {
			p.saidDone(who, d)
		}
		return saved
	})
}

func (p *program) saidDone(who identity, d record.Device) {
	fmt.Fprintf(p.Out, "Done: the device %q is set up for %s. The next login asks for a code "+
		"from it.\n", d.Label, who.Name)
}

// showsSecret fails where a secret would be shown to no one, or to a file. With --yes, it was asked
// for.
func (p *program) showsSecret(o options.Options) error {
	if p.Shown || o.Yes {
		return nil
	}
	return hint.Error("output is not a terminal, so the secret is not shown",
		"run it on a terminal, or as root: enroll "+cmp.Or(o.Command.Name, "add totp")+
			" --user NAME --yes")
}

// setUpApp shows a new app's secret, has a code of it confirmed, and only then has it saved. These
// are the first two of so many steps.
func (p *program) setUpApp(who identity, o options.Options, steps int,
	save func(proof enrollment.Proof, d record.Device, step uint64) error) error {
	if err := p.showsSecret(o); err != nil {
		return err
	}
	proof, err := p.proveNew(who, o)
	if err != nil {
		return err
	}
	d, err := p.device(who, o)
	if err != nil {
		return err
	}
	account := p.account(who, o.Issuer)
	uri := otpauth.URI(account, d)
	return p.withPicture(uri, o, func() error {
		a := app.App{
			Console: p.Console, Account: account, Device: d, URI: uri, Steps: steps,
			Clock:   p.clock,
			Look:    app.Look{ASCII: o.ASCII, Plain: o.Plain, Picture: o.PNG},
			Refused: func() { p.unconfirmed(who, d) },
		}
		step, err := a.Confirm()
		if err != nil {
			return err
		}
		return save(proof, d, step)
	})
}
