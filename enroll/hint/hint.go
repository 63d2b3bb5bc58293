// Package hint is for errors that also say what to type next.
package hint

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// failure is an error with a hint.
type failure struct {
	what, next string
	misuse     bool
}

func (f *failure) Error() string { return f.what }

// Error makes an error that says what happened, and what to type or look at next. An empty next is
// no hint.
func Error(what, next string) error { return &failure{what: what, next: next} }

// Misuse makes an error for a wrong use of the command line.
func Misuse(format string, args ...any) error {
	return &failure{fmt.Sprintf(format, args...), "enroll --help shows how it is used", true}
}

// IsMisuse reports whether err is about a wrong use of the command line.
func IsMisuse(err error) bool {
	var f *failure
	return errors.As(err, &f) && f.misuse
}

// Of is the hint of the first error in err's chain that may have one; empty: there is none.
func Of(err error) string {
	var f *failure
	if errors.As(err, &f) {
		return f.next
	}
	return ""
}

var plain = regexp.MustCompile(`^[A-Za-z0-9_./:@-]+$`)

// Word is text as one word of a command that is to be typed into a shell.
func Word(text string) string {
	if plain.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
