package authority

import (
	"slices"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Device is what a host may know of a device. The zero Device is none.
type Device struct {
	ID    state.DeviceID
	Type  method.Method
	Label string
	Hint  string // of a phone: the end of its number, as prompts show it
}

func shown(d *record.Device) Device {
	if d == nil {
		return Device{}
	}
	return Device{ID: d.ID, Type: d.Type, Label: d.Label, Hint: d.Hint()}
}

// Choices are what a user can prove a second factor with, where a rule allows some methods.
type Choices struct {
	App, Token bool            // devices that make codes by themselves
	Recovery   bool            // a recovery code that is not used
	Bypass     bool            // a code that root gave out
	Key        bool            // a security key
	Alone      bool            // the user has one device, allowed by the rule or not
	Phones     []Device        // that codes can be sent to
	Channels   []method.Method // SMS, Call: how
}

// choicesOf are those of an account.
func choicesOf(account *factor.Account, login Login, now time.Time) Choices {
	c := Choices{
		Alone:    len(account.Record.Devices) == 1,
		Bypass:   factor.Live(account.State.Bypass, now),
		Recovery: login.allows(method.Recovery) && account.RecoveryLeft() > 0,
	}
	for _, m := range []method.Method{method.SMS, method.Call} {
		if login.allows(m) {
			c.Channels = append(c.Channels, m)
		}
	}
	for i := range account.Record.Devices {
		c.add(&account.Record.Devices[i], login)
	}
	if len(c.Phones) == 0 {
		c.Channels = nil
	}
	return c
}

func (c *Choices) add(d *record.Device, login Login) {
	switch allowed := login.allows(d.Type); {
	case d.Type == method.Phone && len(c.Channels) > 0:
		c.Phones = append(c.Phones, shown(d))
	case d.Type == method.TOTP:
		c.App = c.App || allowed
	case d.Type == method.HOTP:
		c.Token = c.Token || allowed
	case d.Type == method.Key:
		c.Key = c.Key || allowed
	}
}

// Own reports whether the user has a device that makes codes by itself.
func (c Choices) Own() bool { return c.App || c.Token }

// None reports whether there is nothing to ask for.
func (c Choices) None() bool {
	return !c.Own() && len(c.Phones) == 0 && !c.Recovery && !c.Bypass
}

// Channel returns how a code was sent.
func Channel(p state.Pending) method.Method {
	if p.Voice {
		return method.Call
	}
	return method.SMS
}

// acceptsSent reports whether a code that was sent by one of these channels, maybe in another
// login under another rule, may be used.
func acceptsSent(channels []method.Method) func(state.Pending) bool {
	return func(p state.Pending) bool { return slices.Contains(channels, Channel(p)) }
}
