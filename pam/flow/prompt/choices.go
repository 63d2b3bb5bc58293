package prompt

import (
	"strconv"
	"strings"

	"latchkey/pam/authority"
	"latchkey/pam/method"
)

// Choices are what a user can answer a prompt with.
type Choices struct {
	authority.Choices
	// Offline: the fleet cannot be reached, and the codes are break-glass codes of this host.
	Offline bool
	// InFront is how much the client writes before a prompt, such as "(alice@host) ", in columns.
	InFront int
}

// devices names those that make codes by themselves; empty: there are none.
func (c Choices) devices() string {
	switch {
	case c.App && c.Token:
		return "app or token"
	case c.App:
		return "app"
	case c.Token:
		return "token"
	}
	return ""
}

// Choice is what a user typed instead of a code: where to send one, and how.
type Choice struct {
	Channel method.Method
	Phone   authority.Device
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
