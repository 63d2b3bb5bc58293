package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/enroll/fleet"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/audit"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
)

// replace is for a new phone: after one proof, a new app takes the place of an old one, with new
// recovery codes. All is saved at once. Which one is old is settled before the proof, so that what
// the user has seen is what goes.
func (p *program) replace(o options.Options) error {
	who, err := p.adding(o)
	if err != nil {
		return p.meantDevice(o, err)
	}
	if err := p.showsSecret(o); err != nil {
		return err
	}
	old, err := p.outgoing(who, o)
	if err != nil {
		return err
	}
	if err := p.mayAdd(who, o, old.ID); err != nil {
		return err
	}
	if o.Label == "" && old.Type == method.TOTP {
		o.Label = old.Label
	}
	if o.Yes {
		return p.replaceUnasked(who, o, old)
	}
	fmt.Fprintf(p.Out, "A new app takes the place of %q, and the recovery codes are new.\n"+
		"The old ones work until the new app is confirmed.\n", old.Label)
	return p.setUpApp(who, o, 3, func(proof enrollment.Proof, d record.Device, step uint64) error {
		codes, saved := p.exchange(proof, who, old, d, step)
		if !made(saved) {
			return saved
		}
		if err := p.showCodes(who, codes); err != nil {
			return err
		}
		fmt.Fprintf(p.Out, "Done: the device %q is set up for %s. The next login asks for a "+
			"code from it.\nDelete the old entry from the old app: its codes no longer work.\n",
			d.Label, who.Name)
		return saved
	})
}

// meantDevice is the error of a last word that names no user for whom the caller may work: it may
// be the caller's device.
func (p *program) meantDevice(o options.Options, err error) error {
	self, lookUpErr := lookUpID(p.uid)
	if lookUpErr != nil || o.User == "" {
		return err
	}
	if r, _ := p.recordOf(self); r == nil || r.Find(o.User) == nil {
		return err
	}
	return hint.Error(err.Error(), "for your device of that name: enroll replace --device "+
		hint.Word(o.User))
}

// outgoing is the device that is replaced: the one that was named, or else the only app. With
// several apps the user is asked.
func (p *program) outgoing(who identity, o options.Options) (old record.Device, err error) {
	if o.Device != "" {
		return p.named(who, o.Device, o.ForUser())
	}
	r, err := p.recordOf(who)
	switch {
	case err != nil:
		return old, err
	case r == nil:
		return old, factor.ErrUnenrolled
	}
	apps := slices.DeleteFunc(slices.Clone(r.Devices), func(d record.Device) bool {
		return d.Type != method.TOTP
	})
	switch {
	case len(apps) == 0:
		return old, hint.Error(who.Name+" has no app that could be replaced",
			"add one with: enroll add totp"+o.ForUser()+"; for another device: --device DEVICE")
	case len(apps) == 1:
		return apps[0], nil
	case o.Yes:
		return old, hint.Error(fmt.Sprintf("%s has %d apps", who.Name, len(apps)),
			"say which one is replaced: --device "+labels(apps, " or ", hint.Word))
	}
	return p.whichApp(apps)
}

// whichApp asks which app is replaced.
func (p *program) whichApp(apps []record.Device) (old record.Device, err error) {
	var list strings.Builder
	for i, d := range apps {
		fmt.Fprintf(&list, "%3d  %s, since %s\n", i+1, d.Label,
			d.Created.UTC().Format(time.DateOnly))
	}
	answer, err := p.Ask("Which app is replaced?\n" + list.String() + "Its number or name: ")
	if err != nil {
		return old, err
	}
	answer = strings.TrimSpace(answer)
	if n, err := strconv.Atoi(answer); err == nil && n >= 1 && n <= len(apps) {
		return apps[n-1], nil
	}
	named := func(d record.Device) bool { return d.Label == answer }
	if i := slices.IndexFunc(apps, named); i >= 0 {
		return apps[i], nil
	}
	return old, hint.Error("that is none of them; nothing was changed",
		fmt.Sprintf("type a number from 1 to %d, or one of: %s", len(apps),
			labels(apps, ", ", strconv.Quote)))
}

func labels(devices []record.Device, between string, written func(string) string) string {
	var all []string
	for _, d := range devices {
		all = append(all, written(d.Label))
	}
	return strings.Join(all, between)
}

// exchange saves a new device in place of an old one, with new recovery codes.
func (p *program) exchange(proof enrollment.Proof, who identity, old, d record.Device,
	moving uint64) (codes []string, saved error) {
	codes, set, err := enrollment.NewRecovery()
	if err = cmp.Or(err, p.Writable()); err != nil { // the user may have gone meanwhile
		return nil, err
	}
	e := enrollment.Exchange{Old: old.ID, New: d, Counter: moving, Recovery: set}
	saved = p.AsRoot(func() error { return p.store().Exchange(proof, who.User, e) })
	saved = fleet.Unsure(saved, "the new app may have replaced the old one, with recovery codes "+
		"that no one has seen", "enroll status shows which app counts; if it is the new one, make "+
		"recovery codes: enroll codes")
	if made(saved) {
		p.logged(audit.Change{What: "remove", User: who.Name, Device: old.Label,
			Detail: "replaced"})
		p.logged(audit.Change{What: "add", User: who.Name, Device: d.Label,
			Detail: string(d.Type)})
		p.logged(audit.Change{What: "codes", User: who.Name})
	}
	return codes, saved
}

// replaceUnasked is for scripts: no questions, and on standard output the URI and then the
// recovery codes, one a line, or one JSON object.
func (p *program) replaceUnasked(who identity, o options.Options, old record.Device) error {
	d, uri, _, err := p.unaskedDevice(who, o)
	if err != nil {
		return err
	}
	replaced := addedDevice{User: who.Name, Changed: true, Device: d.Label, Replaced: old.Label,
		URI: uri}
	saved := p.withPicture(uri, o, func() (saved error) {
		replaced.Codes, saved = p.exchange(p.asRoot(), who, old, d, 0)
		return saved
	})
	if !made(saved) {
		return saved
	}
	if o.JSON {
		err = writeJSON(p.Out, replaced)
	} else {
		_, err = fmt.Fprintf(p.Out, "%s\n%s\n", uri, strings.Join(replaced.Codes, "\n"))
	}
	if err != nil {
		err = hint.Error(fmt.Sprintf("the device %q of %s is saved, but its URI and the recovery "+
			"codes could not be written: %v", d.Label, who.Name, err),
			"replace it again: enroll replace --device "+hint.Word(d.Label)+o.ForUser())
	}
	return errors.Join(err, saved)
}
