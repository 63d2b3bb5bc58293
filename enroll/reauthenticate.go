package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/msteinert/pam/v2"

	"latchkey/enroll/byphone"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/refusal"
	"latchkey/enroll/setuid"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// authenticate asks for name's password, and whether the account is one that may be used, as
// /etc/pam.d/enroll says.
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
			return hint.Error(fmt.Sprintf("this account cannot be used (%v); nothing was "+
				"changed", err), "")
		}
		// A module may have changed the name on the way; the password was then another user's.
		if now, err := t.GetItem(pam.User); err != nil || now != name {
			return errors.New("PAM changed the user; nothing was changed")
		}
		return nil
	})
}

// startPAM begins a conversation with PAM about name. Below a root of a test's it reads the
// services there.
func (p *program) startPAM(name string) (*pam.Transaction, error) {
	if p.root != "" {
		return pam.StartConfDir(service, name, pam.ConversationFunc(p.pamAsks),
			p.root+"/etc/pam.d")
	}
	return pam.StartFunc(service, name, p.pamAsks)
}

// passwordRefused tells a password that is wrong from one that could not be checked.
func passwordRefused(err error) error {
	for _, wrong := range []error{pam.ErrAuth, pam.ErrUserUnknown, pam.ErrMaxtries,
		pam.ErrPermDenied, pam.ErrConv, pam.ErrCredInsufficient} {
		if errors.Is(err, wrong) {
			return hint.Error("password not accepted; nothing was changed", "")
		}
	}
	return hint.Error(fmt.Sprintf("the password could not be checked (%v); nothing was changed",
		err), "root: look at /etc/pam.d/"+service)
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
		fmt.Fprintln(p.Err, text)
		return "", nil
	}
	return "", errors.New("unknown message style")
}

// prove makes sure the caller owns the account. Root needs no proof; other users give the
// password and, if a factor is set up already, a code of it: a stolen session alone changes
// nothing. With an error the proof gives no right.
func (p *program) prove(who identity) (enrollment.Proof, error) {
	if p.uid == 0 {
		return enrollment.ByRoot(), nil
	}
	if err := p.password(who.Name); err != nil {
		return enrollment.Proof{}, err
	}
	began := p.clock()
	enrolled, err := p.enrolled(who)
	if err != nil {
		return enrollment.Proof{}, err
	}
	if !enrolled {
		return p.proveInvited(who, began)
	}
	has, err := p.means(who)
	switch {
	case err != nil:
		return enrollment.Proof{}, err
	case has.phone != nil:
		return p.provePhone(who, has, began)
	}
	return p.proveCode(who, has, began)
}

// proveNew is prove for a new device or new recovery codes. With --yes, which is for root, nothing
// is asked. Behind sudo, root is asked whether the account is meant: sudo enroll sets up root, not
// its caller.
func (p *program) proveNew(who identity, o options.Options) (enrollment.Proof, error) {
	if o.Yes {
		return p.asRoot(), nil
	}
	invoker := setuid.Invoker()
	if p.uid != 0 || o.User != "" || invoker == "" {
		return p.prove(who)
	}
	says, asks := "This sets up a second factor for root, not for %s.\n", "Set up root? [y/N] "
	if o.Command.Name == "codes" {
		says, asks = "This replaces the recovery codes of root, not of %s.\n", "Replace them? [y/N] "
	}
	fmt.Fprintf(p.Out, says, invoker)
	answer, err := p.Ask(asks)
	if err != nil {
		return enrollment.Proof{}, err
	}
	if prompt.Yes(answer) {
		return p.prove(who)
	}
	return enrollment.Proof{}, hint.Error("nothing was changed",
		"for "+invoker+": "+strings.TrimSpace("enroll "+o.Command.Name)+
			", without sudo; for someone else: --user NAME")
}

// means is what a user can prove anything with.
type means struct {
	phone *record.Device // the first one, if nothing else gives codes
	given bool           // root has given out a code that works
}

func (p *program) means(who identity) (has means, err error) {
	err = p.AsRoot(func() error {
		r, st, err := p.store().View(who.User)
		if err != nil {
			return err
		}
		has.given = factor.Live(st.Bypass, p.clock())
		codes := func(d record.Device) bool {
			return d.Type != method.Phone && d.Type != method.Key
		}
		if has.given || factor.RecoveryLeft(r, st) > 0 || slices.ContainsFunc(r.Devices, codes) {
			return nil
		}
		isPhone := func(d record.Device) bool { return d.Type == method.Phone }
		i := slices.IndexFunc(r.Devices, isPhone)
		if i < 0 {
			return hint.Error("a security key gives no codes, and there is nothing else; "+
				"nothing was changed",
				"root can give out a code with: enroll bypass "+who.Name)
		}
		has.phone = &r.Devices[i]
		return nil
	})
	return has, err
}

// proveCode has a code typed as at a login.
func (p *program) proveCode(
	who identity, has means, began time.Time) (enrollment.Proof, error) {
	ask := "Code from a device you have, or a recovery code. Verification code: "
	if has.given {
		ask = "Code from a device you have, a recovery code, or the code from your\n" +
			"administrator. Verification code: "
	}
	m, proof, err := p.tryCode(who, ask, began)
	if err != nil {
		return enrollment.Proof{}, err
	}
	if m.Result != factor.Accepted {
		return enrollment.Proof{}, hint.Error("code not accepted; nothing was changed",
			refusal.Advice(m.Result))
	}
	return proof, nil
}

// provePhone has a code typed that is sent to a phone of the user's.
func (p *program) provePhone(
	who identity, has means, began time.Time) (enrollment.Proof, error) {
	rules, err := policy.Load(p.root, policy.DefaultPath)
	if err != nil {
		return enrollment.Proof{}, err
	}
	if len(rules.Phone.Methods) == 0 {
		return enrollment.Proof{}, hint.Error(
			"the only device is a phone, and phones are switched off in latchkey.toml",
			"root can add a device with: enroll add totp --user "+who.Name,
		)
	}
	return p.byPhone(who, has.phone, rules, began).ProveOwn()
}

// byPhone proves things with codes that are sent to a phone, with the password, which was given
// at that time.
func (p *program) byPhone(who identity, phone *record.Device, rules *policy.Policy,
	since time.Time) byphone.Prover {
	return byphone.Prover{
		Console: p.Console, User: who.User, Phone: phone, Rules: rules,
		Clock: p.clock, Began: since, Accounts: p.store(), AsRoot: p.AsRoot,
		Spared:   func(answer string) bool { return p.spared(who, answer) },
		Refused:  func(o verdict.Outcome, began time.Time) { p.refused(who, o, began) },
		Compared: func(m factor.Match) { p.compared(who, m) },
	}
}
