package terminal

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Window is what the user's terminal can show.
type Window struct {
	Columns, Rows int  // Rows 0: it does not say
	UTF8          bool // the locale's characters
	Color         bool
}

// usualColumns is the width of a terminal that does not say how wide it is.
const usualColumns = 80

// Window looks at the terminal each time: it may have been made larger.
func (c *Console) Window() Window {
	w := Window{Columns: usualColumns, UTF8: utf8Locale(os.Getenv), Color: colors(os.Getenv)}
	size, err := unix.IoctlGetWinsize(int(c.outFile.Fd()), unix.TIOCGWINSZ)
	if err == nil && size.Col > 0 {
		w.Columns, w.Rows = int(size.Col), int(size.Row)
	}
	return w
}

// Holds reports whether columns and rows are all seen at once.
func (w Window) Holds(columns, rows int) bool {
	return columns <= w.Columns && (w.Rows == 0 || rows <= w.Rows)
}

// Lines is how many lines text takes in the window.
func (w Window) Lines(text string) (n int) {
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		n += max(1, (len(line)+w.Columns-1)/w.Columns)
	}
	return n
}

// utf8Locale reports whether the terminal's characters are UTF-8: the first of these variables
// that is set says it (locale(7)).
func utf8Locale(getenv func(string) string) bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}

// colors reports whether the terminal has them: it does unless its user wants none
// (https://no-color.org) or it says it is a plain one.
func colors(getenv func(string) string) bool {
	kind := getenv("TERM")
	return getenv("NO_COLOR") == "" && kind != "" && kind != "dumb"
}
