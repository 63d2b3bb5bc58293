package prompt

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Choices are what a user can answer a prompt with.
type Choices struct {
	methods []method.Method // that the rule allows
	// Own is "app", "token" or both: devices that make codes by themselves; empty: none.
	Own      string
	recovery bool            // a recovery code that is not used
	bypass   bool            // a code that root gave out
	Alone    bool            // the user has one device, allowed by the rule or not
	Phones   []record.Device // that codes can be sent to
	Channels []method.Method // SMS, Call: how
	// InFront is how much the client writes before a prompt, such as "(alice@host) ", in columns.
	InFront int
}

// NewChoices are those of an account, where a rule allows methods.
func NewChoices(account *factor.Account, methods []method.Method, now time.Time) Choices {
	c := Choices{methods: methods, Alone: len(account.Record.Devices) == 1,
		bypass: factor.Live(account.State.Bypass, now)}
	c.recovery = slices.Contains(methods, method.Recovery) && account.RecoveryLeft() > 0
	for _, m := range []method.Method{method.SMS, method.Call} {
		if slices.Contains(methods, m) {
			c.Channels = append(c.Channels, m)
		}
	}
	has := map[method.Method]bool{}
	for _, d := range account.Record.Devices {
		switch {
		case d.Type == method.Phone && len(c.Channels) > 0:
			c.Phones = append(c.Phones, d)
		case d.Type != method.Phone && slices.Contains(methods, d.Type):
			has[d.Type] = true
		}
	}
	c.Own = ownDevices(has[method.TOTP], has[method.HOTP])
	if len(c.Phones) == 0 {
		c.Channels = nil
	}
	return c
}

func ownDevices(app, token bool) string {
	switch {
	case app && token:
		return "app or token"
	case app:
		return "app"
	case token:
		return "token"
	}
	return ""
}

// None reports whether there is nothing to ask for.
func (c Choices) None() bool {
	return c.Own == "" && len(c.Phones) == 0 && !c.recovery &&
		!c.bypass
}

// Accepts reports whether codes of a device that makes them by itself, or recovery codes, may be
// used.
func (c Choices) Accepts(m method.Method) bool {
	return slices.Contains(c.methods, m)
}

// AcceptsSent reports whether a code that was sent, maybe in another login under another rule, may
// be used.
func (c Choices) AcceptsSent(p state.Pending) bool {
	return slices.Contains(c.Channels,
		Channel(p))
}

// Channel returns how a code was sent.
func Channel(p state.Pending) method.Method {
	if p.Voice {
		return method.Call
	}
	return method.SMS
}

// Choice is what a user typed instead of a code: where to send one, and how.
type Choice struct {
	Channel method.Method
	Phone   record.Device
}

// Parse understands sms, call, "sms 2" and "call2", in either case and with quotation marks.
// Anything else is taken for a code.
func (c Choices) Parse(answer string) (Choice, bool) {
	word := bare(answer)
	for _, m := range c.Channels {
		rest, ok := strings.CutPrefix(word, string(m))
		if !ok {
			continue
		}
		n := 1
		if rest = strings.TrimSpace(rest); rest != "" {
			var err error
			if n, err = strconv.Atoi(rest); err != nil {
				return Choice{}, false
			}
		}
		if n < 1 || n > len(c.Phones) {
			return Choice{}, false
		}
		return Choice{m, c.Phones[n-1]}, true
	}
	return Choice{}, false
}
