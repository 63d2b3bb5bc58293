package strict

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// checkText refuses what no editor writes into a text file, before a parser sees it.
func (s Schema) checkText(data []byte) error {
	if len(data) > s.Limit {
		return s.ErrorAt(lineAt(data, s.Limit), "the file is longer than %d KiB", s.Limit>>10)
	}
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		return s.ErrorAt(1, "the file begins with a byte order mark")
	}
	if i := bytes.IndexByte(data, 0); i >= 0 {
		return s.ErrorAt(lineAt(data, i), "NUL byte")
	}
	if i := invalidUTF8(data); i >= 0 {
		return s.ErrorAt(lineAt(data, i), "invalid UTF-8")
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

// maxQuoted is how many bytes of a foreign value an error repeats.
const maxQuoted = 40

// Quote makes s fit for one line of a log: quoted, escaped, cut if long.
func Quote(s string) string {
	if len(s) <= maxQuoted {
		return strconv.Quote(s)
	}
	end := maxQuoted
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return strconv.Quote(s[:end] + "…")
}

// cut shortens a text that the parser has already found to be printable.
func cut(s string) string {
	if len(s) > maxQuoted {
		return s[:maxQuoted] + "…"
	}
	return s
}
