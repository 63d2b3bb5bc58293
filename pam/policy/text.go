package policy

import (
	"strconv"
	"strings"

	"latchkey/pam/strict"
)

// maxFile is the longest latchkey.toml in bytes.
const maxFile = 64 << 10

// quote makes s fit for one line of a log: quoted, escaped, cut if long.
func quote(s string) string { return strict.Quote(s) }

// printable makes s, which is no name, fit for one line of a log: escaped, and cut if long.
func printable(s string) string {
	q := strconv.Quote(strings.ToValidUTF8(s[:min(len(s), maxReason)], "?"))
	return q[1 : len(q)-1]
}

// maxReason is how many bytes of a foreign reason are repeated.
const maxReason = 80
