// Package metrics writes what a host's users have in the text format of Prometheus.
package metrics

import (
	"fmt"
	"io"
	"strings"
	"time"

	"latchkey/pam/method"
)

// Users is what is counted.
type Users struct {
	Enrolled int // users with a record, usable or not
	Missing  int // users who could log in and have none
	Locked   int // for a while, or until root unlocks them
	Unusable int // users whose record or state denies every login
	Unused   int // enrolled users who have never been let in
	Devices  map[method.Method]int
	With     map[method.Method]int // users, by the types of their devices
	Recovery int                   // users with an unused recovery code
	Oldest   time.Time             // the last login of the user whose last is longest ago; zero: none
	Read     time.Time             // when all this was so
}

// Types are those of devices, in the order of the text.
var Types = []method.Method{method.TOTP, method.HOTP, method.Phone, method.Key}

// Write writes u in Prometheus' text format, version 0.0.4.
func (u Users) Write(w io.Writer) error {
	var b strings.Builder
	one := func(name, help string, value int64) {
		head(&b, name, help)
		fmt.Fprintf(&b, "latchkey_%s %d\n", name, value)
	}
	one("enrolled_users", "Users with a second factor.", int64(u.Enrolled))
	one("missing_users", "Users who could log in and have no second factor.", int64(u.Missing))
	one("locked_users", "Users whose second factor is locked.", int64(u.Locked))
	one("unusable_users", "Users whose record or state denies every login.", int64(u.Unusable))
	one("unused_users", "Users who have a second factor and were never let in with it.",
		int64(u.Unused))
	byType(&b, "devices", "Devices, by type.", u.Devices)
	byType(&b, "users_with_device", "Users with at least one device of a type.", u.With)
	one("users_with_recovery_codes", "Users with at least one unused recovery code.",
		int64(u.Recovery))
	if !u.Oldest.IsZero() {
		one("oldest_last_use_timestamp_seconds",
			"Last login of the user who was let in longest ago, in Unix time.", u.Oldest.Unix())
	}
	one("read_timestamp_seconds", "When these numbers were read, in Unix time.", u.Read.Unix())
	_, err := io.WriteString(w, b.String())
	return err
}

func head(b *strings.Builder, name, help string) {
	fmt.Fprintf(b, "# HELP latchkey_%[1]s %[2]s\n# TYPE latchkey_%[1]s gauge\n", name, help)
}

func byType(b *strings.Builder, name, help string, numbers map[method.Method]int) {
	head(b, name, help)
	for _, kind := range Types {
		fmt.Fprintf(b, "latchkey_%s{type=%q} %d\n", name, kind, numbers[kind])
	}
}
