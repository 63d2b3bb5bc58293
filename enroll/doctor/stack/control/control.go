package control

import (
	"fmt"
	"strconv"
	"strings"
)

// Action is what libpam does with a module's code. A positive number is how many modules it skips.
type Action int

// The actions.
const (
	Ignore Action = -iota
	Accept        // ok: counts, unless something failed before
	Done
	Bad
	Die
	Reset
)

var actionNames = map[string]Action{"ignore": Ignore, "ok": Accept, "done": Done, "bad": Bad,
	"die": Die, "reset": Reset}

// actionWords are their names in the order in which libpam tries them.
var actionWords = []string{"ignore", "ok", "done", "bad", "die", "reset"}

// Control says for each code what is done about it.
type Control [32]Action

// keywords are the simple controls; pam.d(5) gives these equivalents.
var keywords = map[string]string{
	"required":   "success=ok new_authtok_reqd=ok ignore=ignore default=bad",
	"requisite":  "success=ok new_authtok_reqd=ok ignore=ignore default=die",
	"sufficient": "success=done new_authtok_reqd=done default=ignore",
	"optional":   "success=ok new_authtok_reqd=ok default=ignore",
}

// longestJump is far beyond any stack, and keeps the number from overflowing.
const longestJump = 999

// Parse reads a keyword, or value=action pairs. Brackets only keep pairs together: libpam
// does not remember whether they were there.
func Parse(text string) (Control, error) {
	if pairs, ok := keywords[strings.ToLower(text)]; ok {
		return parsePairs(pairs)
	}
	if !strings.Contains(text, "=") {
		return Control{}, fmt.Errorf("unknown control %q", text)
	}
	return parsePairs(text)
}

// parsePairs fills in what is not mentioned: default takes those not set so far, and without one
// they are bad.
func parsePairs(text string) (Control, error) {
	var c Control
	var set [len(c)]bool
	fill := func(a Action) {
		for code := range c {
			if !set[code] {
				c[code], set[code] = a, true
			}
		}
	}
	for text = blank(text); text != ""; text = blank(text) {
		value, a, rest, err := parsePair(text)
		if err != nil {
			return c, err
		}
		text = rest
		if value == "default" {
			fill(a)
			continue
		}
		code, _ := CodeOf(value)
		c[code], set[code] = a, true
	}
	fill(Bad)
	return c, nil
}

// blank takes blanks off the beginning.
func blank(text string) string { return strings.TrimLeft(text, " \t") }

// parsePair takes one value=action off the beginning. As in libpam blanks may stand around the
// sign, and none need stand behind.
func parsePair(text string) (value string, a Action, rest string, err error) {
	value = beginning(text, append(names, "default"))
	rest, sign := strings.CutPrefix(blank(text[len(value):]), "=")
	if value == "" {
		return "", 0, "", fmt.Errorf("unknown value at %q in the control", text)
	}
	if !sign {
		return "", 0, "", fmt.Errorf("%q in the control is not value=action", text)
	}
	rest = blank(rest)
	if name := beginning(rest, actionWords); name != "" {
		return value, actionNames[name], rest[len(name):], nil
	}
	digits := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	n, err := strconv.Atoi(digits)
	if err != nil || n < 1 || n > longestJump {
		return "", 0, "", fmt.Errorf("unknown action at %q in the control", rest)
	}
	return value, Action(n), rest[len(digits):], nil
}

// beginning is the first of the words that the text begins with.
func beginning(text string, words []string) string {
	for _, word := range words {
		if strings.HasPrefix(text, word) {
			return word
		}
	}
	return ""
}
