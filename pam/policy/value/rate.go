package value

import (
	"fmt"
	"strconv"
	"strings"

	"latchkey/pam/limit"
	"latchkey/pam/strict"
)

// Rate reads a rate whose count is at most most.
func Rate(v strict.Value, into *limit.Rate, most int) error {
	parse := func(s string) (ok bool) {
		*into, ok = parseRate(s, most)
		return ok
	}
	must := fmt.Sprintf(`be a rate such as "5/1h", of 1 to %d in 1s to 24h`, most)
	return v.Text(new(string), must, parse)
}

func parseRate(s string, most int) (limit.Rate, bool) {
	before, after, _ := strings.Cut(s, "/")
	count, err := strconv.ParseUint(before, 10, 16)
	window, ok := parseSpan(after)
	if err != nil || !ok || count < 1 || count > uint64(most) {
		return limit.Rate{}, false
	}
	return limit.Rate{Count: int(count), Window: window}, true
}
