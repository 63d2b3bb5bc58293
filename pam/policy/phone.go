package policy

import (
	"slices"
	"strings"

	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/phone"
	"latchkey/pam/policy/value"
	"latchkey/pam/strict"
)

// Phone is the table [phone]: codes by SMS and voice call.
type Phone struct {
	Methods []method.Method // of SMS and Call; none switches phones off
	Auto    bool            // send at once to a user whose only device is a phone
	Sends   limit.Sends
	// numbers must begin with one of these, each "+" and digits; none: any number
	Prefixes []string
	Locale   string // language of the message, such as "en" or "pt-BR"
}

// Allows reports whether codes may be sent to a number in E.164.
func (p *Phone) Allows(number string) bool {
	return len(p.Prefixes) == 0 || slices.ContainsFunc(p.Prefixes,
		func(prefix string) bool { return strings.HasPrefix(number, prefix) })
}

func (p *Phone) set(v strict.Value) error {
	switch v.Name {
	case "methods":
		return strict.List(v, &p.Methods, strict.Word(method.SMS, method.Call))
	case "auto":
		return v.Bool(&p.Auto)
	case "sends_per_user":
		return value.Rate(v, &p.Sends.User, 1000)
	case "sends_per_host":
		return value.Rate(v, &p.Sends.Host, 10000)
	case "prefixes":
		return strict.List(v, &p.Prefixes, readPrefix)
	case "locale":
		return v.Text(&p.Locale, `be a language such as "en" or "pt-BR"`, phone.IsLocale)
	}
	return v.Unknown()
}

func readPrefix(v strict.Value, into *string) error {
	return v.Text(into, `be "+" and 1 to 15 digits, the first not 0`, phone.IsPrefix)
}
