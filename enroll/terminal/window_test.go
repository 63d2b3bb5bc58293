package terminal

import "testing"

func TestTheLocaleSaysWhetherCharactersAreUTF8(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"nothing is set":         {nil, false},
		"LANG":                   {map[string]string{"LANG": "en_US.UTF-8"}, true},
		"LANG, in lower case":    {map[string]string{"LANG": "en_US.utf8"}, true},
		"LC_CTYPE over LANG":     {map[string]string{"LC_CTYPE": "C", "LANG": "C.UTF-8"}, false},
		"LC_ALL over LC_CTYPE":   {map[string]string{"LC_ALL": "C.UTF-8", "LC_CTYPE": "C"}, true},
		"another set of letters": {map[string]string{"LANG": "de_DE.ISO-8859-1"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := utf8Locale(func(n string) string { return c.env[n] }); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestATerminalHasColorsUnlessItOrItsUserSaysNo(t *testing.T) {
	for name, c := range map[string]struct {
		env  map[string]string
		want bool
	}{
		"a terminal":          {map[string]string{"TERM": "xterm"}, true},
		"a dumb one":          {map[string]string{"TERM": "dumb"}, false},
		"none is named":       {nil, false},
		"its user wants none": {map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, false},
		"an empty NO_COLOR":   {map[string]string{"TERM": "xterm", "NO_COLOR": ""}, true},
		"any other NO_COLOR":  {map[string]string{"TERM": "xterm", "NO_COLOR": "no"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := colors(func(n string) string { return c.env[n] }); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestLinesThatAreWiderThanTheWindowTakeMore(t *testing.T) {
	w := Window{Columns: 10}
	for text, want := range map[string]int{
		"": 1, "short": 1, "short\n": 1, "exactly ten": 2, "0123456789": 1, "a\nb\n": 2,
		"a\n\nb": 3,
	} {
		if got := w.Lines(text); got != want {
			t.Errorf("%q: got %d lines, want %d", text, got, want)
		}
	}
}

func TestAWindowHoldsWhatIsNoLargerOrOfUnknownHeight(t *testing.T) {
	for name, c := range map[string]struct {
		window        Window
		columns, rows int
		want          bool
	}{
		"exactly":              {Window{Columns: 80, Rows: 24}, 80, 24, true},
		"too wide":             {Window{Columns: 80, Rows: 24}, 81, 1, false},
		"too high":             {Window{Columns: 80, Rows: 24}, 1, 25, false},
		"of unknown height":    {Window{Columns: 80}, 80, 1000, true},
		"unknown but too wide": {Window{Columns: 80}, 81, 1, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.window.Holds(c.columns, c.rows); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
