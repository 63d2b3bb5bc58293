package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/msteinert/pam/v2"

	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// service is enroll's own PAM service.
const service = "enroll"

// authenticate asks for name's password, and whether the account is one that may be used, as /etc/pam.d/enroll says.
func (p *program) authenticate(name string) error {
	return p.AsSetuid(func() error {
		t, err := p.startPAM(name)
		if err != nil {
			return fmt.Errorf("start PAM: %w", err)
		}
		defer t.End()
		if err := t.Authenticate(pam.DisallowNullAuthtok); err != nil {
			return passwordRefused(err)
		}
		if err := t.AcctMgmt(pam.DisallowNullAuthtok); err != nil {
			return &failure{fmt.Sprintf("this account cannot be used (%v); nothing was changed", err), ""}
		}
		// A module may have changed the name on the way; the password was then somebody else's.
		if now, err := t.GetItem(pam.User); err != nil || now != name {
			return errors.New("PAM changed the user; nothing was changed")
		}
		return nil
	})
}

// startPAM begins a conversation with PAM about name. Below a root of a test's it reads the services there.
func (p *program) startPAM(name string) (*pam.Transaction, error) {
	if p.root != "" {
		return pam.StartConfDir(service, name, pam.ConversationFunc(p.pamAsks), p.root+"/etc/pam.d")
	}
	return pam.StartFunc(service, name, p.pamAsks)
}

// passwordRefused tells a password that is wrong from one that could not be checked.
func passwordRefused(err error) error {
	for _, wrong := range []error{pam.ErrAuth, pam.ErrUserUnknown, pam.ErrMaxtries, pam.ErrPermDenied, pam.ErrConv, pam.ErrCredInsufficient} {
		if errors.Is(err, wrong) {
			return &failure{"password not accepted; nothing was changed", ""}
		}
	}
	return &failure{fmt.Sprintf("the password could not be checked (%v); nothing was changed", err), "root: look at /etc/pam.d/" + service}
}

func (p *program) pamAsks(style pam.Style, text string) (string, error) {
	switch style {
	case pam.PromptEchoOff:
		answer, err := p.AskHidden(text)
		p.given = answer
		return answer, err
	case pam.PromptEchoOn:
		return p.Ask(text)
	case pam.ErrorMsg, pam.TextInfo:
		fmt.Fprintln(p.err, text)
		return "", nil
	}
	return "", errors.New("unknown message style")
}

// prove makes sure that who wants to change who's factors is who: root needs nothing more, everybody else
// gives the password and, if there is a factor already, a code of it. A stolen session alone changes nothing. What was proven
// holds only for a while after the password, and only as long as the record stays as it was: the change is made with the keyring that
// is returned.
func (p *program) prove(who identity) (factor.Keyring, error) {
	if p.uid == 0 {
		return p.keyring, nil
	}
	if err := p.password(who.Name); err != nil {
		return p.keyring, err
	}
	began := p.clock()
	enrolled, err := p.enrolled(who)
	if err != nil {
		return p.keyring, err
	}
	if !enrolled {
		return p.proveInvited(who, began)
	}
	has, err := p.means(who)
	switch {
	case err != nil:
		return p.keyring, err
	case has.phone != nil:
		return p.provePhone(who, has, began)
	}
	return p.proveCode(who, has, began)
}

// means is what a user can prove anything with.
type means struct {
	phone *record.Device // the first one, if there is nothing but phones
	given bool           // root has given out a code that works
	of    *record.Record
}

func (p *program) means(who identity) (has means, err error) {
	err = p.as0(func() error {
		r, st, err := p.keyring.View(who.User)
		if err != nil {
			return err
		}
		has.of, has.given = r, factor.Live(st.Bypass, p.clock())
		another := slices.ContainsFunc(r.Devices, func(d record.Device) bool { return d.Type != method.Phone })
		if !another && !has.given && factor.RecoveryLeft(r, st) == 0 {
			has.phone = &r.Devices[0]
		}
		return nil
	})
	return has, err
}

// proveCode has a code typed as at a login.
func (p *program) proveCode(who identity, has means, began time.Time) (factor.Keyring, error) {
	proven, prompt := p.keyring, "Code from a device you have, or a recovery code: "
	if has.given {
		prompt = "Code from a device you have, a recovery code, or the code from your administrator: "
	}
	m, of, err := p.tryCode(who, prompt)
	if err != nil {
		return proven, err
	}
	if m.Result != factor.Accepted {
		return proven, &failure{"code not accepted; nothing was changed", explain(m.Result)}
	}
	proven.Still = factor.Lasting(began, p.clock, stillThere(of, m))
	if m.Device != nil {
		proven.By = m.Device.ID
	}
	return proven, nil
}

// provePhone has a code typed that is sent to a phone of the user's.
func (p *program) provePhone(who identity, has means, began time.Time) (factor.Keyring, error) {
	proven := p.keyring
	rules, err := policy.Load(p.root, policy.DefaultPath)
	if err != nil {
		return proven, err
	}
	if len(rules.Phone.Methods) == 0 {
		return proven, &failure{"the only device is a phone, and phones are switched off in latchkey.toml", "root can add a device with: enroll add totp --user " + who.Name}
	}
	proven.By = has.phone.ID
	proven.Still = factor.Lasting(began, p.clock, stillThere(has.of, factor.Match{Device: has.phone}))
	return proven, p.proveOwnPhone(who, has.phone, rules)
}

// errMeanwhile keeps a thief out who proved the password alone while there was no factor, or a code of a device that was
// stolen, and left enroll waiting until the owner had enrolled or had removed that device.
var errMeanwhile = &failure{"the devices of this account were changed meanwhile; nothing was changed here", "start again"}

func stillUnenrolled(r *record.Record) error {
	if r != nil {
		return errMeanwhile
	}
	return nil
}

// stillThere is for who proved with a code that it has a record: that one, with what the code was of.
func stillThere(proven *record.Record, m factor.Match) func(*record.Record) error {
	return func(r *record.Record) error {
		switch {
		case r == nil || r.Enrollment != proven.Enrollment:
		case m.Device != nil && !slices.ContainsFunc(r.Devices, func(d record.Device) bool { return d.ID == m.Device.ID }):
		case m.Method == method.Recovery && r.Recovery.ID != proven.Recovery.ID: // the owner has made new ones
		default:
			return nil
		}
		return errMeanwhile
	}
}
