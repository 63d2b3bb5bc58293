package pamd

import (
	"errors"
	"fmt"
	"strings"
)

// LongestLine is what libpam before 1.7 takes; it refuses the whole file with a longer one.
const LongestLine = 1000

// Line is a line of a PAM file, continuations joined and comments gone.
type Line struct {
	Number int // of its first line in the file
	Text   string
}

// Lines joins the lines of a file. What versions of libpam read differently is an error:
// it would then be unknown what the stack is.
func Lines(data string) ([]Line, error) {
	var all []Line
	var open *Line // a line that goes on
	number := 0
	for line := range strings.Lines(data) {
		number++
		text, goes, err := part(strings.TrimSuffix(line, "\n"), open != nil)
		if err != nil {
			return nil, fmt.Errorf("%d: %w", number, err)
		}
		if open == nil {
			open = &Line{Number: number}
		}
		open.Text += text
		if len(open.Text) > LongestLine {
			return nil, fmt.Errorf("%d: longer than %d bytes", number, LongestLine)
		}
		if goes {
			continue
		}
		if open.Text != "" {
			all = append(all, *open)
		}
		open = nil
	}
	if open != nil {
		return nil, fmt.Errorf("%d: the file ends after a backslash", number)
	}
	return all, nil
}

// part is what one line of the file gives, and whether the next one belongs to it. A comment ends
// at its line, even behind a backslash.
func part(line string, continued bool) (text string, goes bool, err error) {
	text, _, comment := strings.Cut(line, "#")
	for _, c := range []byte(text) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return "", false, errors.New("a control character")
		}
	}
	text = strings.Trim(text, " \t")
	if !comment {
		text, goes = strings.CutSuffix(text, `\`)
	}
	switch {
	case len(line) > LongestLine || strings.Contains(line, "\x00"):
		return "", false, fmt.Errorf("longer than %d bytes, or a zero byte", LongestLine)
	case continued && text == "" && !goes:
		return "", false, errors.New("an empty line or comment after a backslash")
	case goes:
		return text + " ", true, nil
	}
	return text, false, nil
}

// tokens splits a line at blanks. As in libpam, what begins with a bracket goes to the closing
// one, even if no blank follows that, and \] does not close.
func tokens(text string) ([]string, error) {
	var all []string
	for {
		text = strings.TrimLeft(text, " \t")
		if text == "" {
			return all, nil
		}
		if text[0] != '[' {
			end := strings.IndexAny(text+" ", " \t")
			all = append(all, text[:end])
			text = text[end:]
			continue
		}
		inside, rest, err := bracket(text[1:])
		if err != nil {
			return nil, err
		}
		all = append(all, inside)
		text = rest
	}
}

func bracket(text string) (inside, rest string, err error) {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && text[i+1] == ']' {
			i++
		} else if text[i] == ']' {
			return b.String(), text[i+1:], nil
		}
		b.WriteByte(text[i])
	}
	return "", "", errors.New("an unclosed bracket")
}
