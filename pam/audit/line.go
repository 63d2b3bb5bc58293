// Package audit writes one line for each decision.
package audit

import (
	"strconv"
	"strings"
	"time"
)

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

// maxValue is how much of a value from outside is shown, in bytes.
const maxValue = 255

// String returns the line without its line feed. Every value from outside is quoted, cut, and
// printable ASCII.
func (l Line) String() string {
	verdict := "deny"
	if l.Allow {
		verdict = "allow"
	}
	var b strings.Builder
	b.WriteString("latchkey: verdict=" + verdict)
	b.WriteString(" user=" + quote(l.User) + " service=" + quote(l.Service) + " from=" +
		quote(l.From))
	b.WriteString(" method=" + l.Method + " device=" + quote(l.Device) + " reason=" + l.Reason)
	b.WriteString(" tries=" + strconv.Itoa(l.Tries) + " ms=" +
		strconv.FormatInt(l.Took.Milliseconds(), 10))
	if l.Detail != "" {
		b.WriteString(" detail=" + quote(l.Detail))
	}
	return b.String()
}

// quote writes every byte that is not plain printable ASCII as \xNN, as the gate does.
func quote(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s) && i < maxValue; i++ {
		if c := s[i]; c < 0x20 || c > 0x7e || c == '"' || c == '\\' {
			b.WriteString(`\x`)
			b.WriteByte(digits[c>>4])
			b.WriteByte(digits[c&15])
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
