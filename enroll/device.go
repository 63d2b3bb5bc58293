package main

import (
	"fmt"
	"strings"
	"time"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/audit"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// adding is for whom a device is added, which asks nothing for root alone.
func (p *program) adding(o options.Options) (identity, error) {
	switch {
	case (o.IfMissing || o.JSON) && !o.Yes:
		return identity{}, hint.Misuse("--if-missing and --json need --yes")
	case o.SecretFile != "" && !o.Yes:
		return identity{}, hint.Misuse("--secret-file needs --yes")
	}
	if (o.Yes || o.SecretFile != "") && p.uid != 0 {
		return identity{}, hint.Error("--yes and --secret-file are for root",
			"without them: enroll "+o.Command.Name)
	}
	who, err := p.whom(o.User)
	if err != nil || o.Yes || o.Command.Name == "replace" {
		return who, err
	}
	return who, p.mayAdd(who, o, state.DeviceID{})
}

// mayAdd fails if a device of the user's, other than the one that goes, has this label, or if
// there is no room for one more: until it is confirmed, one that replaces another stands beside
// it. The change itself would find out, but only after an app was set up or an SMS sent.
func (p *program) mayAdd(who identity, o options.Options, but state.DeviceID) error {
	r, err := p.recordOf(who)
	if err != nil || r == nil {
		return err
	}
	if len(r.Devices) >= state.MaxDevices {
		return hint.Error(fmt.Sprintf("%s has %d devices already, and there is no room for "+
			"another", who.Name, len(r.Devices)),
			"remove one that is not in use: enroll remove"+o.ForUser()+" DEVICE")
	}
	if d := r.Find(o.Label); o.Label != "" && d != nil && d.ID != but {
		return hint.Error(fmt.Sprintf("there is a device %q already", d.Label),
			"choose another --label")
	}
	return nil
}

// device makes the new device from the options.
func (p *program) device(who identity, o options.Options) (record.Device, error) {
	secret, o, err := p.givenSecret(o)
	if err != nil {
		return record.Device{}, err
	}
	return p.deviceWith(who, o, secret)
}

// deviceWith makes the new device with a secret that is known.
func (p *program) deviceWith(who identity, o options.Options,
	secret []byte) (record.Device, error) {
	var err error
	label := o.Label
	if label == "" {
		if label, err = p.freeLabel(who, standardLabel[o.Command.Name]); err != nil {
			return record.Device{}, err
		}
	}
	if o.Period < 1 || o.Period > int(record.MaxPeriod/time.Second) {
		return record.Device{}, hint.Misuse("--period must be 1 to %d seconds",
			int(record.MaxPeriod/time.Second))
	}
	if o.Counter > oath.MaxCounter {
		return record.Device{}, hint.Misuse("--counter must be at most %d",
			uint64(oath.MaxCounter))
	}
	algorithm, now := strings.ToUpper(o.Algorithm), p.clock()
	d := enrollment.NewTOTP(label, secret, algorithm, o.Digits,
		time.Duration(o.Period)*time.Second, now)
	if typeOf(o) == method.HOTP {
		d = enrollment.NewHOTP(label, secret, algorithm, o.Digits, now)
	}
	if err := d.Check(); err != nil {
		return d, hint.Misuse("%v", err)
	}
	return d, nil
}

// typeOf is what the command makes, of the two types that have a secret.
func typeOf(o options.Options) method.Method {
	if o.Command.Name == "add hotp" {
		return method.HOTP
	}
	return method.TOTP
}

// standardLabel is what a device is called unless the user says otherwise.
var standardLabel = map[string]string{"": "app", "add totp": "app", "add hotp": "token",
	"add phone": "phone", "add key": "key", "replace": "app"}

// freeLabel is base, or base-2 and so on if the user has that.
func (p *program) freeLabel(who identity, base string) (string, error) {
	r, err := p.recordOf(who)
	label := base
	for n := 2; r != nil && r.Find(label) != nil; n++ {
		label = fmt.Sprintf("%s-%d", base, n)
	}
	return label, err
}

func (p *program) save(
	proof enrollment.Proof, who identity, d record.Device, step uint64) error {
	err := p.AsRoot(func() error { return p.store().Add(proof, who.User, d, step) })
	if made(err) {
		p.logged(audit.Change{What: "add", User: who.Name, Device: d.Label,
			Detail: string(d.Type)})
	}
	return err
}
