// Package guide is what people who set up an app see, inside a login and at a terminal: the QR
// code, and what is said about it.
package guide

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"latchkey/enroll/app/qr"
)

// Drawing is how a QR code is drawn. The zero value is in half blocks, without colors, for a
// terminal with a dark background.
type Drawing struct {
	Style  qr.Style
	Invert bool // for a terminal with a light background
	// Color: with escape sequences (ECMA-48, SGR), black on white, with any colors of the
	// terminal.
	Color bool
	Plain bool // nothing is drawn
}

// ColorOff is the escape sequence that ends the colors that a drawing that was cut short has
// left on.
const ColorOff = "\x1b[0m"

// inked are the runs of characters that are dark all over.
var inked = map[qr.Style]*regexp.Regexp{
	qr.Blocks: regexp.MustCompile(`█+`), qr.ASCII: regexp.MustCompile(`[^ \n]+`),
}

// Of draws code in lines that end with \n.
func (d Drawing) Of(code *qr.Code) string {
	if !d.Color {
		return code.Draw(d.Style, d.Invert)
	}
	dark, light := "0", "7" // black, white
	if d.Invert {
		dark, light = light, dark
	}
	// Spaces on a colored ground have no gaps between them, as characters have in many fonts.
	fill := func(run string) string {
		spaces := strings.Repeat(" ", utf8.RuneCountInString(run))
		return "\x1b[4" + dark + "m" + spaces + "\x1b[4" + light + "m"
	}
	drawing := inked[d.Style].ReplaceAllStringFunc(code.Draw(d.Style, true), fill)
	color := "\x1b[3" + dark + ";4" + light + "m"
	lines := strings.TrimSuffix(drawing, "\n")
	return color + strings.ReplaceAll(lines, "\n", ColorOff+"\n"+color) + ColorOff + "\n"
}

// Encode makes the QR code of the first of uris whose code fits; if none does, of the last.
func Encode(uris []string, fits func(*qr.Code) bool) (code *qr.Code, err error) {
	for _, uri := range uris {
		if code, err = qr.Encode(uri); err != nil || fits(code) {
			break
		}
	}
	return code, err
}
