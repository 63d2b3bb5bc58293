package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"

	"latchkey/pam/audit"
	"latchkey/pam/factor"
	"latchkey/pam/record"
)

// setUp is enroll alone: the first device, step by step.
func (p *program) setUp(o options) error {
	who, err := p.whom(o.user)
	if err != nil {
		return err
	}
	if enrolled, err := p.enrolled(who); err != nil {
		return err
	} else if enrolled {
		return &failure{who.name + " has a second factor already", "see it with: enroll status; add a device with: enroll add totp"}
	}
	if err := p.addWithUser(who, o); err != nil {
		return err
	}
	return p.newCodes(p.keyring, who)
}

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
	return p.addWithUser(who, o)
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
	uri, err := otpauth(who, d)
	if err != nil {
		return err
	}
	if len(d.Secret) < 16 {
		fmt.Fprintln(p.err, "enroll: warning: the secret is shorter than the 128 bits that RFC 4226 asks for")
	}
	if err := p.save(p.keyring, who, d, o.counter); err != nil {
		return err
	}
	if d.Type == record.HOTP {
		uri += fmt.Sprintf("&counter=%d", o.counter)
	}
	if _, err := fmt.Fprintln(p.out, uri); err != nil {
		return &failure{fmt.Sprintf("the device %q of %s is saved, but its URI could not be written: %v", d.Label, who.name, err),
			"remove it (enroll remove, or enroll reset if it is the only one) and add it again"}
	}
	return nil
}

// addWithUser shows the secret, has a code of it confirmed, and only then saves.
func (p *program) addWithUser(who identity, o options) error {
	if !p.shown {
		return &failure{"output is not a terminal, so the secret is not shown",
			"run it on a terminal, or as root: enroll add totp --user NAME --yes"}
	}
	proven, err := p.prove(who)
	if err != nil {
		return err
	}
	d, err := p.device(who, o)
	if err != nil {
		return err
	}
	if err := p.show(who, d); err != nil {
		return err
	}
	step, err := p.confirm(d)
	if err != nil {
		return err
	}
	if err := p.save(proven, who, d, step); err != nil {
		return err
	}
	fmt.Fprintf(p.out, "Done: the device %q is set up for %s. At the next login a code from it is asked for.\n", d.Label, who.name)
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

// show draws the URI as a QR code and writes the secret in groups for typing by hand.
func (p *program) show(who identity, d record.Device) error {
	uri, err := otpauth(who, d)
	if err != nil {
		return err
	}
	drawing, err := drawQR(uri)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "Step 1. Scan this with the authenticator app of %s:\n\n%s\n", who.name, drawing)
	fmt.Fprintf(p.out, "or type it in by hand: %s\n", grouped(d.Secret))
	fmt.Fprintf(p.out, "(time-based, %s, %d digits, %d seconds)\n\n", d.Algorithm, d.Digits, d.Period/time.Second)
	return nil
}

// confirmTries is how often a code may be mistyped before nothing is saved.
const confirmTries = 3

// confirm asks for a code of the new device and returns its time step, which is used up by that.
func (p *program) confirm(d record.Device) (uint64, error) {
	prompt := "Step 2. Type the code that the app shows now: "
	for range confirmTries {
		answer, err := p.ask(prompt)
		if err != nil {
			return 0, err
		}
		code, _ := factor.Normalize(answer)
		step, found, err := factor.FindStep(&d, code, p.clock(), 1)
		if err != nil || found {
			return step, err
		}
		prompt = "That is not the code of this device" + p.driftHint(&d, code) + ". Type the code that the app shows now: "
	}
	return 0, &failure{"no right code; nothing was saved", "check the clock of the phone and of this machine, then start again"}
}

// driftHint tells how far the device's clock is off, if that is why the code is not accepted.
func (p *program) driftHint(d *record.Device, code string) string {
	const reach = 120 // steps to either side: an hour, with the usual 30 seconds
	now := p.clock()
	step, found, err := factor.FindStep(d, code, now, reach)
	if err != nil || !found {
		return ""
	}
	seconds := (int64(step) - int64(factor.Step(d, now))) * int64(d.Period/time.Second)
	if seconds < 0 {
		return fmt.Sprintf(" (its clock is about %d seconds slow, or this machine's is fast)", -seconds)
	}
	return fmt.Sprintf(" (its clock is about %d seconds fast, or this machine's is slow)", seconds)
}

// otpauth is the device as authenticator apps read it
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format).
func otpauth(who identity, d record.Device) (string, error) {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "latchkey"
	}
	if d.Type == record.HOTP {
		return tokenURI(host, who.name, d), nil
	}
	algorithms := map[string]otp.Algorithm{"SHA1": otp.AlgorithmSHA1, "SHA256": otp.AlgorithmSHA256, "SHA512": otp.AlgorithmSHA512}
	key, err := totp.Generate(totp.GenerateOpts{
		Issuer: host, AccountName: who.name, Secret: d.Secret, Period: uint(d.Period / time.Second),
		Digits: otp.Digits(d.Digits), Algorithm: algorithms[d.Algorithm],
	})
	if err != nil {
		return "", fmt.Errorf("make the otpauth URI: %w", err)
	}
	return key.URL(), nil
}
