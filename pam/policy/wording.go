package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"latchkey/pam/strict"
)

// maxIssuer and maxHelp are how long the texts that users read may be, in characters.
const (
	maxIssuer = 128
	maxHelp   = 400
)

// IssuerMust says what an issuer has to be.
const IssuerMust = "be 1 to 128 printable characters, without a blank at either end"

// IsIssuer reports whether a text can be the name that an authenticator app shows above its codes.
func IsIssuer(text string) bool { return isLine(text, maxIssuer) }

func issuer(v strict.Value, into *string) error { return v.Text(into, IssuerMust, IsIssuer) }

// help reads what users are told to do when a login has failed for good, in one line: the program
// wraps it.
func help(v strict.Value, into *string) error {
	return v.Text(into, "be 1 to 400 printable characters, without a blank at either end",
		func(text string) bool {
			return isLine(text, maxHelp)
		})
}

// isLine reports whether a text can stand on a terminal as it is: no escape sequence, no line
// break, and something to see.
func isLine(text string, most int) bool {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	return text != "" && utf8.ValidString(text) && utf8.RuneCountInString(text) <= most &&
		strings.TrimSpace(text) == text && !strings.ContainsFunc(text, unprintable)
}
