package qr

import "strings"

// Style is how a code is drawn.
type Style int

const (
	// Blocks draws two modules a character, one above the other, in half blocks (UTF-8).
	Blocks Style = iota
	// ASCII draws a module as two characters, which together are about as wide as high.
	ASCII
)

// quiet is the width of the empty border in modules (ISO/IEC 18004 asks for 4; readers make do
// with 2, and a terminal has 24 lines).
const quiet = 2

// Size is what Draw takes of a terminal, border included.
func (c *Code) Size(s Style) (columns, rows int) {
	modules := c.grid.Size + 2*quiet
	if s == ASCII {
		return 2 * modules, modules
	}
	return modules, (modules + 1) / 2
}

// Draw is the code in lines of equal length that end with \n, without escape sequences. What is
// inked shows in the terminal's foreground color: the light modules, for a terminal with a
// dark background, or with light the dark modules, for a terminal with a light one.
func (c *Code) Draw(s Style, light bool) string {
	inked := func(x, y int) bool { return c.grid.Black(x, y) == light }
	if s == ASCII {
		ink := "#["
		if light {
			ink = "[["
		}
		return c.lines(1, func(x, y int) string { return pair(inked(x, y), ink) })
	}
	return c.lines(2, func(x, y int) string { return block(inked(x, y), inked(x, y+1)) })
}

// lines draws the code and its border, a line for every step rows of modules.
func (c *Code) lines(step int, cell func(x, y int) string) string {
	var b strings.Builder
	for y := -quiet; y < c.grid.Size+quiet; y += step {
		for x := -quiet; x < c.grid.Size+quiet; x++ {
			b.WriteString(cell(x, y))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// block is the character for two modules above each other.
func block(upper, lower bool) string {
	switch {
	case upper && lower:
		return "█"
	case upper:
		return "▀"
	case lower:
		return "▄"
	}
	return " "
}

// pair is the characters for one module. Of what ASCII has, readers found these best from a
// picture of a screen: brackets are as high as a line, so that the modules above each other
// touch.
func pair(inked bool, ink string) string {
	if inked {
		return ink
	}
	return "  "
}
