// Package value reads the values of latchkey.toml that are not mere words and numbers: names,
// networks, times, rates, dates.
package value

import (
	"strings"
	"unicode"

	"latchkey/pam/strict"
)

// maxName is longer than any name service's names.
const maxName = 256

// User reads a user's exact name.
func User(v strict.Value, into *string) error {
	return v.Text(into, "be an exact name", isName)
}

// Group reads a group's exact name, or a netgroup's behind "@".
func Group(v strict.Value, into *string) error {
	return v.Text(into, "be an exact name or @netgroup", isGroup)
}

// Service reads the name of a PAM service.
func Service(v strict.Value, into *string) error {
	return v.Text(into, "be the exact name of a PAM service, in lower case", isService)
}

// isName reports whether s can be the exact name of a user or group. Patterns, paths and the marks
// that sudoers and netgroups put before a name are refused, because as a name they match no one: a
// rule for "*" or "%wheel" would silently never apply.
func isName(s string) bool {
	return s != "" && len(s) <= maxName && s == strings.TrimSpace(s) &&
		!strings.ContainsAny(s, "*?/") && !strings.ContainsAny(s[:1], "@%!+-") &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// isGroup reports whether s is a group's exact name, or a netgroup's behind "@".
func isGroup(s string) bool {
	return isName(strings.TrimPrefix(s, "@"))
}

// isService reports whether s can be a PAM service. Linux-PAM turns service names into lower case
// (pam_start(3)), so that "SSHD" would never match.
func isService(s string) bool {
	return isName(s) && s == strings.ToLower(s)
}
