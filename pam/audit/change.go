package audit

import "strings"

// Change is a change that enroll made. Its format is an interface, like a Line's.
type Change struct {
	What   string // one word: add, remove, codes, distrust, reset, unlock, invite, bypass, import
	User   string // whose second factor it is
	By     string // who ran enroll
	Device string // the device's label
	Detail string // never a code or a secret
}

// String returns the line without its line feed.
func (c Change) String() string {
	var b strings.Builder
	b.WriteString("latchkey: change=" + c.What + " user=" + quote(c.User) + " by=" + quote(c.By) +
		" device=" + quote(c.Device))
	if c.Detail != "" {
		b.WriteString(" detail=" + quote(c.Detail))
	}
	return b.String()
}
