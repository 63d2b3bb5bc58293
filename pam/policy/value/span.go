package value

import (
	"strings"
	"time"

	"latchkey/pam/strict"
)

// Span reads a length of time such as "15m".
func Span(v strict.Value, into *time.Duration) error {
	parse := func(s string) (ok bool) {
		*into, ok = parseSpan(s)
		return ok
	}
	return v.Text(new(string), `be a time such as "15m", from 1s to 24h`, parse)
}

// parseSpan reads hours, minutes and seconds in Go's notation, without signs or fractions, 1s to
// 24h.
func parseSpan(s string) (time.Duration, bool) {
	if strings.Trim(s, "0123456789hms") != "" {
		return 0, false
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < time.Second || d > 24*time.Hour || d%time.Second != 0 {
		return 0, false
	}
	return d, true
}
