package main

import (
	"errors"
	"fmt"

	"latchkey/enroll/app/otpauth"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/enrollment"
	"latchkey/pam/method"
	"latchkey/pam/record"
)

// addedDevice is what a script is told of a device.
type addedDevice struct {
	User    string `json:"user"`
	Changed bool   `json:"changed"`
	Device  string `json:"device"`
	// Replaced is the label of the device that this one took the place of.
	Replaced string   `json:"replaced,omitempty"`
	URI      string   `json:"uri,omitempty"`
	Codes    []string `json:"recovery_codes,omitempty"`
}

// addUnasked is for scripts: no questions, and the URI alone on standard output, or one JSON
// object.
func (p *program) addUnasked(who identity, o options.Options) error {
	d, uri, o, err := p.unaskedDevice(who, o)
	if err != nil {
		return err
	}
	added := addedDevice{User: who.Name, Changed: true, Device: d.Label, URI: uri}
	saved := p.withPicture(uri, o, func() error { return p.saveUnasked(who, o, d, &added) })
	if !made(saved) {
		return saved
	}
	if err := p.sayAdded(o, added); err != nil {
		return hint.Error(fmt.Sprintf("the device %q of %s is saved, but its URI could not be "+
			"written: %v", d.Label, who.Name, err),
			"remove it (enroll remove, or enroll reset if it is the only one) and add it again")
	}
	return saved
}

// unaskedDevice makes the new device from the options, its URI, and the options with what came with
// the secret.
func (p *program) unaskedDevice(who identity, o options.Options) (
	d record.Device, uri string, _ options.Options, err error) {
	secret, o, err := p.givenSecret(o)
	if err == nil {
		d, err = p.deviceWith(who, o, secret)
	}
	if err != nil {
		return d, "", o, err
	}
	uri = otpauth.URI(p.account(who, o.Issuer), d)
	if len(d.Secret) < 16 {
		fmt.Fprintln(p.Err, "enroll: warning: the secret is shorter than the 128 bits that "+
			"RFC 4226 asks for")
	}
	if d.Type == method.HOTP {
		uri += fmt.Sprintf("&counter=%d", o.Counter)
	}
	return d, uri, o, nil
}

// saveUnasked saves the device. Where JSON tells of it, a user's first one comes with recovery
// codes.
func (p *program) saveUnasked(who identity, o options.Options, d record.Device,
	added *addedDevice) error {
	if !o.JSON {
		return p.save(p.asRoot(), who, d, o.Counter)
	}
	codes, saved := p.enroll(p.asRoot(), who, d, o.Counter)
	switch {
	case errors.Is(saved, enrollment.ErrEnrolled): // perhaps only just now, by another process
		return p.save(p.asRoot(), who, d, o.Counter)
	case made(saved):
		added.Codes = codes
	}
	return saved
}

func (p *program) sayAdded(o options.Options, added addedDevice) error {
	if o.JSON {
		return writeJSON(p.Out, added)
	}
	_, err := fmt.Fprintln(p.Out, added.URI)
	return err
}

// existing is the label of a device of the user that makes adding one unnecessary: the one with
// the label that was asked for, or the first one of its type; empty: there is none.
func (p *program) existing(who identity, o options.Options) (label string, err error) {
	r, err := p.recordOf(who)
	if r == nil {
		return "", err
	}
	return same(r.Devices, o)
}

// same finds the device that the options describe.
func same(devices []record.Device, o options.Options) (label string, err error) {
	for _, d := range devices {
		right := "add "+string(d.Type) == o.Command.Name
		switch {
		case o.Label == "" && right:
			return d.Label, nil
		case o.Label == d.Label && !right:
			return "", hint.Error(fmt.Sprintf("the device %q is of another type: %s", d.Label,
				d.Type), "choose another --label")
		case o.Label == d.Label:
			return d.Label, nil
		}
	}
	return "", nil
}

// unlessThere adds a device, unless --if-missing was given and the user has it. One that another
// process has added meanwhile counts, too: the label is chosen before, and so is taken then.
func (p *program) unlessThere(who identity, o options.Options,
	add func(identity, options.Options) error) error {
	if !o.IfMissing {
		return add(who, o)
	}
	err := p.addMissing(who, o, add)
	if errors.Is(err, record.ErrLabel) {
		return p.addMissing(who, o, add)
	}
	return err
}

func (p *program) addMissing(who identity, o options.Options,
	add func(identity, options.Options) error) error {
	there, err := p.existing(who, o)
	if err == nil && there == "" && o.Label == "" {
		o.Label, err = p.freeLabel(who, standardLabel[o.Command.Name])
	}
	switch {
	case err != nil:
		return err
	case there == "":
		return add(who, o)
	case o.JSON:
		return writeJSON(p.Out, addedDevice{User: who.Name, Device: there})
	}
	fmt.Fprintf(p.Err, "enroll: %s has the device %q already; nothing was changed\n", who.Name,
		there)
	return nil
}
