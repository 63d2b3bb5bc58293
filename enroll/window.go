package main

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"latchkey/enroll/qr"
)

// window is what the user's terminal can show.
type window struct {
	columns, rows int  // rows 0: nobody knows
	utf8          bool // the locale's characters
	colour        bool
}

// usualColumns is the width of a terminal that does not say how wide it is.
const usualColumns = 80

// window looks at the terminal anew each time: it may have been made larger.
func (c *console) window() window {
	w := window{columns: usualColumns, utf8: utf8Locale(os.Getenv), colour: colours(os.Getenv)}
	if size, err := unix.IoctlGetWinsize(int(c.outFile.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
		w.columns, w.rows = int(size.Col), int(size.Row)
	}
	return w
}

// utf8Locale: the first of these that is set says what the terminal's characters are (locale(7)).
func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}

// colours: a terminal has them unless its user wants none (https://no-color.org) or it says it is a plain one.
func colours(getenv func(string) string) bool {
	term := getenv("TERM")
	return getenv("NO_COLOR") == "" && term != "" && term != "dumb"
}

// holds tells whether a code, and so many lines more, are all seen at once.
func (w window) holds(code *qr.Code, style qr.Style, more int) bool {
	columns, rows := code.Size(style)
	return columns <= w.columns && (w.rows == 0 || rows+more <= w.rows)
}
