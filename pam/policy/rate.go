package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"latchkey/pam/strict"
)

// Rate is a number of events within a sliding window, in the file "10/10m". The zero Rate admits nothing.
type Rate struct {
	Count  int
	Window time.Duration // whole seconds, 1s to 24h
}

// String returns the rate as in the file.
func (r Rate) String() string {
	return fmt.Sprintf("%d/%s", r.Count, shortSpan(r.Window))
}

// rate reads a rate whose count is at most most.
func rate(v strict.Value, into *Rate, most int) error {
	parse := func(s string) (ok bool) {
		*into, ok = parseRate(s, most)
		return ok
	}
	must := fmt.Sprintf(`be a rate such as "5/1h", of 1 to %d in 1s to 24h`, most)
	return v.Text(new(string), must, parse)
}

func parseRate(s string, most int) (Rate, bool) {
	before, after, _ := strings.Cut(s, "/")
	count, err := strconv.ParseUint(before, 10, 16)
	window, ok := parseSpan(after)
	if err != nil || !ok || count < 1 || count > uint64(most) {
		return Rate{}, false
	}
	return Rate{Count: int(count), Window: window}, true
}
