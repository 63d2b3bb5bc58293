package stack

import (
	"errors"
	"fmt"
	"strings"
)

// longestLine is what libpam before 1.7 takes; it refuses the whole file with a longer one.
const longestLine = 1000

// fullLine is a line of a PAM file, continuations joined and comments gone.
type fullLine struct {
	number int // of its first line in the file
	text   string
}

// fullLines joins the lines of a file. What versions of libpam read differently is an error: nobody could say then what
// the stack is.
func fullLines(data string) ([]fullLine, error) {
	var all []fullLine
	var open *fullLine // a line that goes on
	number := 0
	for line := range strings.Lines(data) {
		number++
		text, goes, err := part(strings.TrimSuffix(line, "\n"), open != nil)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", number, err)
		}
		if open == nil {
			open = &fullLine{number: number}
		}
		open.text += text
		if len(open.text) > longestLine {
			return nil, fmt.Errorf("%d: longer than %d bytes", number, longestLine)
		}
		if goes {
			continue
		}
		if open.text != "" {
			all = append(all, *open)
		}
		open = nil
	}
	if open != nil {
		return nil, fmt.Errorf("%d: the file ends behind a backslash", number)
	}
	return all, nil
}

// part is what one line of the file gives, and whether the next one belongs to it.
func part(line string, continued bool) (text string, goes bool, err error) {
	for _, c := range []byte(line) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", false, errors.New("a control character")
		}
	}
	text, _, comment := strings.Cut(line, "#")
	text = strings.Trim(text, " \t")
	before, goes := strings.CutSuffix(text, `\`)
	switch {
	case comment && strings.HasSuffix(strings.TrimRight(line, " \t"), `\`):
		return "", false, errors.New("a backslash ends a comment")
	case continued && text == "":
		return "", false, errors.New("an empty line or comment behind a backslash")
	case goes && comment, goes && !strings.HasSuffix(line, `\`):
		return "", false, errors.New("something stands behind the backslash")
	case goes:
		return before + " ", true, nil
	}
	return text, false, nil
}

// token is a word of a line; bracketed ones stood in [...], which are taken off.
type token struct {
	text      string
	bracketed bool
}

// tokens splits a line at blanks. As in libpam, what begins with a bracket goes to the closing one, and \] does not close.
func tokens(text string) ([]token, error) {
	var all []token
	for {
		text = strings.TrimLeft(text, " \t")
		if text == "" {
			return all, nil
		}
		if text[0] != '[' {
			end := strings.IndexAny(text+" ", " \t")
			all = append(all, token{text: text[:end]})
			text = text[end:]
			continue
		}
		inside, rest, err := bracket(text[1:])
		if err != nil {
			return nil, err
		}
		all = append(all, token{inside, true})
		text = rest
	}
}

func bracket(text string) (inside, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && text[i+1] == ']' {
			i++
		} else if text[i] == ']' {
			rest = text[i+1:]
			if rest != "" && rest[0] != ' ' && rest[0] != '\t' {
				return "", "", errors.New("no blank behind the closing bracket")
			}
			return b.String(), rest, nil
		}
		b.WriteByte(text[i])
	}
	return "", "", errors.New("a bracket that is not closed")
}
