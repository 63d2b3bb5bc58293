// Package audit writes one line for each decision.
package audit

import "time"

// Line is one decision. Its format is an interface: fail2ban and people read it.
type Line struct {
	Allow   bool
	User    string // as the application gave it
	Service string
	From    string // PAM_RHOST
	Method  string // totp, …; "none" if no factor was used
	Device  string // the device's label
	Reason  string // one word
	Tries   int    // codes typed
	Took    time.Duration
	// for the administrator: which file, which line, what to type; never a code or a secret
	Detail string
}

// String returns the line without its line feed. Every value from outside is quoted, cut, and
// printable ASCII.
func (l Line) String() string { return plain(l) }

func (l Line) fields() []field {
	verdict := "deny"
	if l.Allow {
		verdict = "allow"
	}
	return detailed([]field{
		{"verdict", verdict, word}, {"user", l.User, text}, {"service", l.Service, text},
		{"from", l.From, text}, {"method", l.Method, word}, {"device", l.Device, text},
		{"reason", l.Reason, word}, count("tries", l.Tries), count("ms", l.Took.Milliseconds()),
	}, l.Detail)
}
