// Package hint is for errors that also say what to type next.
package hint

import "errors"

// failure is an error with a hint.
type failure struct{ what, next string }

func (f *failure) Error() string { return f.what }

// Hint is what to type next.
func (f *failure) Hint() string { return f.next }

// Error makes an error that says what happened, and what to type or look at next. An empty next is
// no hint.
func Error(what, next string) error { return &failure{what, next} }

// Of is the hint of the first error in err's chain that may have one; empty: there is none.
func Of(err error) string {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint()
	}
	return ""
}
