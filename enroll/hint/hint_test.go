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
