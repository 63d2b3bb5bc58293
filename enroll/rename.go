package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/audit"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
)

// rename gives a device another label. What an app shows above its codes is kept in the app alone.
// Which device it is, is settled before the proof, which may take minutes.
func (p *program) rename(o options.Options) error {
	if o.Label == "" {
		return hint.Misuse("enroll rename needs --label, the new one")
	}
	who, err := p.whom(o.User)
	if err != nil {
		return err
	}
	d, err := p.named(who, o.Operand, o.ForUser())
	if err != nil {
		return err
	}
	if d.Type == method.Phone && likeNumber(o.Label) {
		return errLikeNumber
	}
	if err := record.CheckLabel(o.Label); err != nil {
		return hint.Misuse("%v", err)
	}
	proof, err := p.prove(who)
	if err != nil {
		return err
	}
	if d.Label == o.Label {
		return p.sayChanged(o, who.Name, false, fmt.Sprintf("the device is called %q already",
			d.Label), nil)
	}
	err = p.AsRoot(func() error {
		return p.store().Rename(proof, who.User, hex.EncodeToString(d.ID[:]), o.Label)
	})
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, factor.ErrRecord) &&
		!errors.Is(err, factor.ErrState) {
		err = enrollment.ErrMeanwhile
	}
	if !made(err) {
		return err
	}
	p.logged(audit.Change{What: "rename", User: who.Name, Device: o.Label,
		Detail: "was " + d.Label})
	return p.sayChanged(o, who.Name, true, fmt.Sprintf("renamed: device %q of %s is now %q",
		d.Label, who.Name, o.Label), err)
}

// named is the user's device of that label or id.
func (p *program) named(who identity, labelOrID, forUser string) (d record.Device, err error) {
	r, err := p.recordOf(who)
	switch {
	case err != nil:
		return d, err
	case r == nil:
		return d, factor.ErrUnenrolled
	case r.Find(labelOrID) == nil:
		return d, p.noDevice(who, labelOrID, forUser)
	}
	return *r.Find(labelOrID), nil
}
