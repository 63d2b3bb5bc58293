package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"latchkey/enroll/otpauth"
	"latchkey/pam/audit"
	"latchkey/pam/factor"
	"latchkey/pam/record"
)

// add gives a user one more device.
func (p *program) add(o options) error {
	if err := addable(o); err != nil {
		return err
	}
	if (o.yes || o.secretFile != "") && p.uid != 0 {
		return &failure{"--yes and --secret-file are for root", "without them: enroll add " + o.operand}
	}
	who, err := p.whom(o.user)
	switch {
	case err != nil:
		return err
	case o.operand == "phone":
		return p.addPhone(who, o)
	case o.yes:
		return p.addUnasked(who, o)
	case o.operand == "hotp":
		return p.addToken(who, o)
	}
	return p.addApp(who, o)
}

// addable refuses options that do not go with what is to be added.
func addable(o options) error {
	switch {
	case o.operand != "totp" && o.operand != "hotp" && o.operand != "phone":
		return usage("enroll add %s: what can be added is totp, hotp and phone", o.operand)
	case o.operand == "totp" && o.counter != 0:
		return usage("--counter goes with enroll add hotp")
	case o.operand == "hotp" && o.yes && o.secretFile == "":
		return usage("enroll add hotp --yes needs --secret-file: the token has its secret already")
	case o.secretFile != "" && !o.yes:
		return usage("--secret-file goes with --yes")
	case o.operand != "totp" && (o.ascii || o.plain || o.png != ""):
		return usage("--ascii, --png and --plain go with enroll and with enroll add totp")
	case o.operand != "phone" && o.number != "":
		return usage("--number goes with enroll add phone")
	case o.operand == "phone" && (o.secretFile != "" || o.code):
		return usage("a phone has no secret, algorithm, digits or period")
	case o.operand == "phone" && o.yes && o.number == "":
		return usage("enroll add phone --yes needs --number")
	}
	return nil
}

// addUnasked is for scripts: no questions, and the URI alone on standard output.
func (p *program) addUnasked(who identity, o options) error {
	d, err := p.device(who, o)
	if err != nil {
		return err
	}
	uri, err := otpauth.URI(otpauth.Host(), who.name, d)
	if err != nil {
		return err
	}
	if len(d.Secret) < 16 {
		fmt.Fprintln(p.err, "enroll: warning: the secret is shorter than the 128 bits that RFC 4226 asks for")
	}
	if d.Type == record.HOTP {
		uri += fmt.Sprintf("&counter=%d", o.counter)
	}
	err = p.withPicture(who, d, o, func() error { return p.save(p.keyring, who, d, o.counter) })
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(p.out, uri); err != nil {
		return &failure{fmt.Sprintf("the device %q of %s is saved, but its URI could not be written: %v", d.Label, who.name, err),
			"remove it (enroll remove, or enroll reset if it is the only one) and add it again"}
	}
	return nil
}

// device makes the new device from the options.
func (p *program) device(who identity, o options) (record.Device, error) {
	secret, err := p.secret(o)
	if err != nil {
		return record.Device{}, err
	}
	return p.deviceWith(who, o, secret)
}

// deviceWith makes the new device with a secret that is known.
func (p *program) deviceWith(who identity, o options, secret []byte) (record.Device, error) {
	var err error
	label := o.label
	if label == "" {
		if label, err = p.freeLabel(who, standardLabel[o.operand]); err != nil {
			return record.Device{}, err
		}
	}
	if o.period < 1 || o.period > int(record.MaxPeriod/time.Second) {
		return record.Device{}, usage("--period is 1 to %d seconds", int(record.MaxPeriod/time.Second))
	}
	algorithm, now := strings.ToUpper(o.algorithm), p.clock()
	d := factor.NewTOTP(label, secret, algorithm, o.digits, time.Duration(o.period)*time.Second, now)
	if o.operand == "hotp" {
		d = factor.NewHOTP(label, secret, algorithm, o.digits, now)
	}
	if err := d.Check(); err != nil {
		return d, usage("%v", err)
	}
	return d, nil
}

// standardLabel is what a device is called unless the user says otherwise.
var standardLabel = map[string]string{"": "app", "totp": "app", "hotp": "token", "phone": "phone"}

// freeLabel is base, or base-2 and so on if the user has that.
func (p *program) freeLabel(who identity, base string) (label string, err error) {
	label = base
	err = p.as0(func() error {
		account, err := p.keyring.Open(who.name, who.uid)
		if errors.Is(err, factor.ErrUnenrolled) {
			return nil
		}
		if err != nil {
			return err
		}
		defer account.Close()
		for n := 2; account.Record.Find(label) != nil; n++ {
			label = fmt.Sprintf("%s-%d", base, n)
		}
		return nil
	})
	return label, err
}

func (p *program) save(k factor.Keyring, who identity, d record.Device, step uint64) error {
	err := p.as0(func() error { return k.Add(who.name, who.uid, d, step) })
	if err == nil {
		p.logged(audit.Change{What: "add", User: who.name, Device: d.Label, Detail: string(d.Type)})
	}
	return err
}
