package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"latchkey/pam/factor"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/twilio/protocol"
)

// addPhone gives a user one more phone. Root's word for a number is enough with --yes; otherwise a code sent to it proves it.
func (p *program) addPhone(o options) error {
	if o.yes && o.number == "" {
		return misused("enroll add phone --yes needs --number")
	}
	who, err := p.adding(o)
	if err != nil {
		return err
	}
	rules, err := policy.Load(p.root, policy.DefaultPath)
	if err != nil {
		return err
	}
	proven := p.keyring
	if !o.yes {
		if proven, err = p.prove(who); err != nil {
			return err
		}
	}
	d, err := p.phone(who, o, rules)
	if err != nil {
		return err
	}
	if !o.yes {
		if err := p.proveNumber(who, &d, rules); err != nil {
			return err
		}
	}
	saved := p.save(proven, who, d, 0)
	if made(saved) {
		fmt.Fprintf(p.out, "Done: codes for %s can be sent to %q, %s.\n", who.name, d.Label, d.Hint())
	}
	return saved
}

// phone makes the device from the options; the number is asked for if they have none.
func (p *program) phone(who identity, o options, rules *policy.Policy) (record.Device, error) {
	if len(rules.Phone.Methods) == 0 {
		return record.Device{}, &failure{"phones are switched off in latchkey.toml (methods = [])", ""}
	}
	typed := o.number
	if typed == "" {
		var err error
		if typed, err = p.ask("Number of the phone, with country code, such as +1 555 123 4567: "); err != nil {
			return record.Device{}, err
		}
	}
	number, err := e164(typed)
	if err != nil {
		return record.Device{}, err
	}
	if !rules.Phone.Allows(number) {
		return record.Device{}, &failure{"no codes are sent to numbers of this country", "see prefixes in latchkey.toml"}
	}
	label := o.label
	if label == "" {
		if label, err = p.freeLabel(who, standardLabel[o.command.Name]); err != nil {
			return record.Device{}, err
		}
	}
	if likeNumber(label) {
		return record.Device{}, misused("a label must not be a phone number: labels stand in the log")
	}
	d := factor.NewPhone(label, number, p.clock())
	if err := d.Check(); err != nil {
		return d, misused("%v", err)
	}
	return d, nil
}

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

// e164 reads a number as people write it. Without a country code it could be anybody's, so it is refused.
func e164(typed string) (string, error) {
	const hint = "write it with + and the country code, such as +15551234567"
	if !strings.HasPrefix(strings.TrimSpace(typed), "+") {
		return "", &failure{"a phone number needs its country code", hint}
	}
	number, err := phonenumbers.Parse(typed, phonenumbers.UNKNOWN_REGION)
	if err != nil || !phonenumbers.IsPossibleNumber(number) || number.GetExtension() != "" {
		return "", &failure{"this is not a phone number", hint}
	}
	return phonenumbers.Format(number, phonenumbers.E164), nil
}

// proveNumber sends a code to the number and has it typed. Sends count against the same limits as at logins, so that nobody
// rings strangers by enrolling them.
func (p *program) proveNumber(who identity, d *record.Device, rules *policy.Policy) error {
	channel := protocol.Channel(rules.Phone.Methods[0])
	limits := factor.SendLimits{User: factor.Rate(rules.Phone.SendsPerUser), Host: factor.Rate(rules.Phone.SendsPerHost)}
	a, err := p.sendProof(who, d, limits, channel, rules)
	if err == nil && a.Result == protocol.Landline && slices.Contains(rules.Phone.Methods, policy.Call) {
		limits.AtOnce = true
		a, err = p.sendProof(who, d, limits, protocol.Call, rules)
	}
	if err != nil {
		return err
	}
	if a.Result != protocol.Sent {
		return notReached("no code could be sent", a)
	}
	prompt := fmt.Sprintf("A code is on its way to %s. Code: ", d.Hint())
	for range confirmTries {
		answer, err := p.ask(prompt)
		if err != nil {
			return err
		}
		prompt = "That code was not accepted. Code: "
		code, possible := factor.Normalize(answer)
		if !possible {
			continue
		}
		a := p.twilio(func(t verifier) protocol.Answer { return t.Check(string(d.Secret), a.SID, code) })
		switch a.Result {
		case protocol.Approved:
			return nil
		case protocol.Wrong:
		default:
			return notReached("the code could not be checked", a)
		}
	}
	return &failure{"no right code; nothing was changed", "start again for a new one"}
}

// sendProof books a code and has it sent; settings that cannot be used are told before anything is counted.
func (p *program) sendProof(who identity, d *record.Device, limits factor.SendLimits, channel protocol.Channel, rules *policy.Policy) (protocol.Answer, error) {
	if err := p.as0(func() error { return p.newVerifier().Ready() }); err != nil {
		return protocol.Answer{}, &failure{fmt.Sprintf("no code could be sent (%v); nothing was changed", err), "root can look further with: enroll doctor"}
	}
	if err := p.bookProof(who, limits); err != nil {
		return protocol.Answer{}, err
	}
	return p.twilio(func(t verifier) protocol.Answer { return t.Send(string(d.Secret), channel, rules.Phone.Locale) }), nil
}

// bookProof books the code that proves a number, before it is sent.
func (p *program) bookProof(who identity, limits factor.SendLimits) error {
	return p.as0(func() error {
		wait, err := p.keyring.BookProof(who.name, who.uid, limits, p.clock())
		if errors.Is(err, factor.ErrNotYet) {
			return &failure{err.Error() + "; nothing was changed", fmt.Sprintf("try again in %d minutes", int(wait.Minutes())+1)}
		}
		return err
	})
}

// verifier is what reaches Twilio Verify.
type verifier interface {
	Ready() error
	Send(number string, channel protocol.Channel, locale string) protocol.Answer
	Check(number, sid, code string) protocol.Answer
	Probe() protocol.Answer
}

// twilio asks Twilio Verify; reading its credentials and starting latchkey-twilio as another user takes root's rights.
func (p *program) twilio(ask func(verifier) protocol.Answer) (a protocol.Answer) {
	err := p.as0(func() error {
		a = ask(p.newVerifier())
		return nil
	})
	if err != nil {
		return protocol.Answer{Result: protocol.Failed, Detail: err.Error()}
	}
	return a
}

func notReached(what string, a protocol.Answer) error {
	return &failure{what + " (" + a.Because() + "); nothing was changed", "root can look further with: enroll doctor"}
}
