package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"strconv"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/audit"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/gate/names"
	"latchkey/pam/nearest"
	"latchkey/pam/record"
)

// remove removes one device. It is identified before the proof, which may take minutes: by then, a
// new phone may have the old one's label.
func (p *program) remove(o options.Options) error {
	who, err := p.whom(o.User)
	if err != nil {
		return err
	}
	device := o.Operand
	if d, err := p.named(who, o.Operand, o.ForUser()); err == nil {
		device = hex.EncodeToString(d.ID[:])
	}
	proof, err := p.prove(who)
	if err != nil {
		return err
	}
	err = p.AsRoot(func() error { return p.store().Remove(proof, who.User, device) })
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, factor.ErrRecord) &&
		!errors.Is(err, factor.ErrState) {
		if device != o.Operand {
			return enrollment.ErrMeanwhile
		}
		return p.noDevice(who, o.Operand, o.ForUser())
	}
	if !made(err) {
		return err
	}
	p.logged(audit.Change{What: "remove", User: who.Name, Device: o.Operand})
	fmt.Fprintf(p.Out, "removed: device %q of %s\n", o.Operand, who.Name)
	return err
}

// noDevice says that the user has no device of that label or id, and which one may have been
// meant.
func (p *program) noDevice(who identity, name, forUser string) error {
	var labels []string
	if s, err := p.statusOf(who); err == nil {
		for _, d := range s.Devices {
			labels = append(labels, d.Label)
		}
	}
	text := fmt.Sprintf("%s has no device %q", who.Name, name) +
		nearest.Ask(name, labels, strconv.Quote)
	return hint.Error(text, "see the devices with: enroll status"+forUser)
}

// reset removes all that a user has. It works for users who are gone and on files that cannot be
// read: it is the way back when nothing else works. Whether a user is gone must be certain, or
// root must say that it does not matter: a job that clears up after deleted users would otherwise
// destroy everyone's enrollment while the name service is down.
func (p *program) reset(o options.Options) error {
	name, err := o.Target()
	if err != nil {
		return err
	}
	who, lookUpErr := lookUp(name)
	if errors.Is(lookUpErr, record.ErrName) {
		return lookUpErr
	}
	if errors.Is(lookUpErr, names.ErrUntold) && !o.DeleteAnyway {
		return hint.Error(lookUpErr.Error()+"; nothing was changed",
			"try again when it can; to remove all that "+name+
				" has, deleted user or not: enroll reset --delete-anyway "+name)
	}
	err = p.store().Reset(p.asRoot(), name)
	if errors.Is(err, fs.ErrNotExist) {
		// A mistyped name must not look like a job done: it may be the owner of a stolen phone
		// who is meant.
		if lookUpErr != nil {
			return lookUpErr
		}
		name, err = who.Name, p.store().Reset(p.asRoot(), who.Name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return p.sayChanged(o, name, false, "nothing to reset: "+name+" has no second factor", nil)
	}
	if errors.Is(err, enrollment.ErrHalf) {
		p.logged(audit.Change{What: "reset", User: name, Detail: "incomplete"})
		return hint.Error("the reset of "+name+" is incomplete: "+err.Error(),
			"run it again: enroll reset "+name)
	}
	if !made(err) {
		return err
	}
	p.logged(audit.Change{What: "reset", User: name})
	return p.sayChanged(o, name, true, "reset: "+name+" no longer has a second factor and "+
		"must enroll again", err)
}

// unlock ends a lock.
func (p *program) unlock(o options.Options) error {
	name, err := o.Target()
	if err != nil {
		return err
	}
	who, err := lookUp(name)
	if err != nil {
		return err
	}
	limits, err := p.limits()
	if err != nil {
		return err
	}
	was, err := p.store().Unlock(p.asRoot(), who.User, limits, p.clock())
	if !made(err) {
		return err
	}
	if !was {
		return p.sayChanged(o, who.Name, false, who.Name+" was not locked", err)
	}
	p.logged(audit.Change{What: "unlock", User: who.Name})
	return p.sayChanged(o, who.Name, true, "unlocked: "+who.Name, err)
}

// sayChanged says what came of a command that scripts run again and again. saved is what is still
// wrong with the change.
func (p *program) sayChanged(o options.Options, name string, changed bool, said string,
	saved error) (err error) {
	if o.JSON {
		err = writeJSON(p.Out, struct {
			User    string `json:"user"`
			Changed bool   `json:"changed"`
		}{name, changed})
	} else {
		_, err = fmt.Fprintln(p.Out, said)
	}
	return errors.Join(saved, err)
}
