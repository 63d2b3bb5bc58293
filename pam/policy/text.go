package policy

import (
	"strconv"
	"strings"
)

// maxFile is the longest latchkey.toml in bytes.
const maxFile = 64 << 10

// printable makes s, which is no name, fit for one line of a log: escaped, and cut if long.
func printable(s string) string {
	q := strconv.Quote(strings.ToValidUTF8(s[:min(len(s), maxReason)], "?"))
	return q[1 : len(q)-1]
}

// maxReason is how many bytes of a foreign reason are repeated.
const maxReason = 80
