package guide

import (
	"strings"
	"unicode"

	"latchkey/enroll/app/qr"
)

// word is an answer in lower case, without the quotation marks in which texts show words.
func word(answer string) string {
	return strings.ToLower(strings.Trim(strings.TrimSpace(answer), `"'`))
}

// Obey changes the drawing as a user who was asked for a code asks, and reports whether that was
// what the answer said.
func (d *Drawing) Obey(answer string) bool {
	switch word(answer) {
	case "small", "qr":
		d.Style, d.Plain = qr.Blocks, false
	case "large":
		d.Style, d.Plain = qr.ASCII, false
	case "invert":
		d.Invert = !d.Invert
	case "plain", "text":
		d.Plain = true
	case "again":
	default:
		return false
	}
	return true
}

// IsHelp reports whether an answer asks what can be typed.
func IsHelp(answer string) bool { return word(answer) == "help" || word(answer) == "?" }

// Help is what can be typed in place of a code.
const Help = "In place of the code you can type\n" +
	"  plain    the secret to type in by hand, nothing drawn\n" +
	"  small    a QR code in half blocks, 20 lines high\n" +
	"  large    a QR code in letters, 40 lines high, if you see no blocks\n" +
	"  invert   the other way around, for a window that is black on white\n" +
	"  again    the same once more\n"

// NotACode is said of a word that means nothing here. It costs nothing: it is no guess.
const NotACode = "That is not a code. \"help\" shows more.\n"

// IsWord reports whether an answer has letters and no digit, so that it cannot be an app's code.
func IsWord(answer string) bool {
	return strings.ContainsFunc(answer, unicode.IsLetter) &&
		!strings.ContainsFunc(answer, unicode.IsDigit) || word(answer) == "?"
}
