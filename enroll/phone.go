package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"latchkey/enroll/byphone"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/enrollment"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// addPhone gives a user one more phone. Root's word for a number is enough with --yes; otherwise
// a code sent to it proves it.
func (p *program) addPhone(o options.Options) error {
	if o.Yes && o.Number == "" {
		return hint.Misuse("enroll add phone --yes needs --number")
	}
	who, err := p.adding(o)
	if err != nil {
		return err
	}
	return p.unlessThere(who, o, p.addNumber)
}

// addNumber adds a phone that the user does not have.
func (p *program) addNumber(who identity, o options.Options) error {
	rules, err := policy.Load(p.root, policy.DefaultPath)
	if err != nil {
		return err
	}
	proof, err := p.proveNew(who, o)
	if err != nil {
		return err
	}
	d, err := p.phone(who, o, rules)
	if err != nil {
		return err
	}
	if !o.Yes {
		if err := p.byPhone(who, &d, rules, p.clock()).ProveNumber(); err != nil {
			return err
		}
	}
	saved := p.save(proof, who, d, 0)
	switch {
	case !made(saved):
	case o.JSON:
		err := writeJSON(p.Out, addedDevice{User: who.Name, Changed: true, Device: d.Label})
		return cmp.Or(saved, err)
	default:
		fmt.Fprintf(p.Out, "Done: codes for %s can be sent to %q, %s.\n", who.Name, d.Label,
			d.Hint())
	}
	return saved
}

// phone makes the device from the options; the number is asked for if they have none.
func (p *program) phone(who identity, o options.Options,
	rules *policy.Policy) (record.Device, error) {
	if len(rules.Phone.Methods) == 0 {
		return record.Device{}, hint.Error("phones are switched off in latchkey.toml "+
			"(methods = [])", "")
	}
	typed := o.Number
	if typed == "" {
		var err error
		if typed, err = p.Ask("Number of the phone, with country code, such as +1 555 " +
			"123 4567: "); err != nil {
			return record.Device{}, err
		}
	}
	number, err := e164(typed)
	if err != nil {
		return record.Device{}, err
	}
	if !rules.Phone.Allows(number) {
		return record.Device{}, byphone.ErrCountry
	}
	label := o.Label
	if label == "" {
		if label, err = p.freeLabel(who, standardLabel[o.Command.Name]); err != nil {
			return record.Device{}, err
		}
	}
	if likeNumber(label) {
		return record.Device{}, errLikeNumber
	}
	d := enrollment.NewPhone(label, number, p.clock())
	if err := d.Check(); err != nil {
		return d, hint.Misuse("%v", err)
	}
	return d, nil
}

var errLikeNumber = hint.Misuse("a label must not be a phone number: labels appear in the log")

// likeNumber tells a label that would put a full phone number into the log.
func likeNumber(label string) bool {
	digits := 0
	for _, c := range label {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	return digits >= 7
}

// e164 reads a number as people write it. Without a country code it could be anybody's, so it is
// refused.
func e164(typed string) (string, error) {
	const next = "write it with + and the country code, such as +15551234567"
	if !strings.HasPrefix(strings.TrimSpace(typed), "+") {
		return "", hint.Error("a phone number needs its country code", next)
	}
	number, err := phonenumbers.Parse(typed, phonenumbers.UNKNOWN_REGION)
	if err != nil || !phonenumbers.IsPossibleNumber(number) || number.GetExtension() != "" {
		return "", hint.Error("this is not a phone number", next)
	}
	return phonenumbers.Format(number, phonenumbers.E164), nil
}
