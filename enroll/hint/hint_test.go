package hint

import (
	"errors"
	"fmt"
	"testing"
)

func TestAHintIsFoundThroughErrorsThatWrapIt(t *testing.T) {
	again, other := Error("refused", "try again"), Error("failed", "look at the disk")
	silent := Error("refused", "")
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"no error":                {nil, ""},
		"an error without one":    {errors.New("refused"), ""},
		"an error with one":       {again, "try again"},
		"an error with no text":   {silent, ""},
		"wrapped":                 {fmt.Errorf("add: %w", again), "try again"},
		"the first of two":        {fmt.Errorf("%w: %w", again, other), "try again"},
		"first without, then one": {fmt.Errorf("%w: %w", silent, other), ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Of(c.err); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestMisuseIsReportedThroughErrorsThatWrapIt(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"no error":         {nil, false},
		"a failure":        {Error("refused", ""), false},
		"a misuse":         {Misuse("unknown command %q", "x"), true},
		"a wrapped misuse": {fmt.Errorf("add: %w", Misuse("--digits")), true},
	} {
		t.Run(name, func(t *testing.T) {
			if got := IsMisuse(c.err); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestWordIsOneWordOfTheShell(t *testing.T) {
	for text, want := range map[string]string{
		"app": "app", "a-b_c.1": "a-b_c.1", "two words": "'two words'", "": "''",
		"it's": `'it'\''s'`, "$(id)": "'$(id)'", "é": "'é'", "~": "'~'", "+1": "'+1'",
	} {
		if got := Word(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}
