// Package limit counts events that may happen only so often: wrong guesses, and codes that are
// sent. The policy has the numbers, a user's state the events.
package limit

import (
	"fmt"
	"strings"
	"time"
)

// Rate is a number of events within a sliding window, in the file "10/10m". The zero Rate admits
// nothing.
type Rate struct {
	Count  int
	Window time.Duration // whole seconds, 1s to 24h
}

// String returns the rate as in the file.
func (r Rate) String() string {
	return fmt.Sprintf("%d/%s", r.Count, shortSpan(r.Window))
}

// shortSpan returns d.String without the zeros at its end: 10m, not 10m0s.
func shortSpan(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
