package policy

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxFile is the longest latchkey.toml in bytes.
const maxFile = 64 << 10

// checkText refuses what no editor writes into a text file, before a parser sees it.
func checkText(file string, data []byte) error {
	if len(data) > maxFile {
		return errorAt(file, lineAt(data, maxFile), "the file is longer than 64 KiB")
	}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		return errorAt(file, 1, "the file begins with a byte order mark")
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return errorAt(file, lineAt(data, i), "NUL byte")
	}
	if i := invalidUTF8(data); i >= 0 {
		return errorAt(file, lineAt(data, i), "invalid UTF-8")
	}
	return nil
}

// invalidUTF8 returns the offset of the first byte that is not UTF-8, or -1.
func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// lineAt returns the line, counted from 1, of the byte at offset.
func lineAt(data []byte, offset int) int {
	return 1 + bytes.Count(data[:offset], []byte("\n"))
}

// maxQuoted is how many bytes of a foreign value an error or an explanation repeats.
const maxQuoted = 40

// quote makes s fit for one line of a log: quoted, escaped, cut if long.
func quote(s string) string {
	if len(s) <= maxQuoted {
		return strconv.Quote(s)
	}
	end := maxQuoted
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return strconv.Quote(s[:end] + "…")
}

// printable makes s, which is no name, fit for one line of a log: escaped, and cut if long.
func printable(s string) string {
	q := strconv.Quote(strings.ToValidUTF8(s[:min(len(s), maxReason)], "?"))
	return q[1 : len(q)-1]
}

// maxReason is how many bytes of a foreign reason are repeated.
const maxReason = 80
