package config

import (
	"errors"
	"strings"
)

const blanks = " \t\r\n\f"

// CutKeyword splits a line at its keyword, which it gives in lower case: blanks, an equals sign,
// or both end it. A comment or an empty line has none.
func CutKeyword(line string) (keyword, rest string) {
	line = strings.Trim(line, blanks)
	if line == "" || line[0] == '#' {
		return "", ""
	}
	if line[0] == '"' {
		if quoted, after, ok := strings.Cut(line[1:], `"`); ok {
			return strings.ToLower(quoted), strings.TrimLeft(after, blanks+"=")
		}
	}
	end := strings.IndexAny(line, blanks+`="`)
	if end < 0 {
		return strings.ToLower(line), ""
	}
	rest = strings.TrimLeft(line[end:], blanks)
	rest = strings.TrimLeft(strings.TrimPrefix(rest, "="), blanks)
	return strings.ToLower(line[:end]), rest
}

// words splits what follows a keyword as sshd does (misc.c, argv_split): quotes of both kinds,
// some escapes, and a comment begins with a word.
func words(text string) ([]string, error) {
	var all []string
	for {
		text = strings.TrimLeft(text, blanks)
		if text == "" || text[0] == '#' {
			return all, nil
		}
		word, rest, err := oneWord(text)
		if err != nil {
			return all, err
		}
		all, text = append(all, word), rest
	}
}

func oneWord(text string) (word, rest string, err error) {
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '\\' && i+1 < len(text) && escapes(text[i+1], quote):
			i++
			b.WriteByte(text[i])
		case quote == 0 && strings.IndexByte(blanks, c) >= 0:
			return b.String(), text[i:], nil
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case quote != 0 && c == quote:
			quote = 0
		default:
			b.WriteByte(c)
		}
	}
	if quote != 0 {
		return "", "", errors.New("an unclosed quote")
	}
	return b.String(), "", nil
}

func escapes(c, quote byte) bool {
	return c == '\'' || c == '"' || c == '\\' || quote == 0 && c == ' '
}
