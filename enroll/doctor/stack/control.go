package stack

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// action is what libpam does with a module's code. A positive one jumps over so many modules.
type action int

const (
	ignore action = -iota
	accept        // ok: counts, unless something failed before
	done
	bad
	die
	reset
)

var actionNames = map[string]action{"ignore": ignore, "ok": accept, "done": done, "bad": bad, "die": die, "reset": reset}

// control says for each code what is done about it.
type control [32]action

// keywords are the simple controls; pam.d(5) gives these equivalents.
var keywords = map[string]string{
	"required":   "success=ok new_authtok_reqd=ok ignore=ignore default=bad",
	"requisite":  "success=ok new_authtok_reqd=ok ignore=ignore default=die",
	"sufficient": "success=done new_authtok_reqd=done default=ignore",
	"optional":   "success=ok new_authtok_reqd=ok default=ignore",
}

// longestJump is far beyond any stack, and keeps the number from overflowing.
const longestJump = 999

var pair = regexp.MustCompile(`^\s*([a-z_]+)\s*=\s*([a-z]+|[0-9]+)(\s+|$)`)

// parseControl reads a keyword, or value=action pairs if it stood in brackets.
func parseControl(t token) (control, error) {
	if t.bracketed {
		return parsePairs(t.text)
	}
	pairs, ok := keywords[strings.ToLower(t.text)]
	if !ok {
		return control{}, fmt.Errorf("unknown control %q", t.text)
	}
	return parsePairs(pairs)
}

// parsePairs fills in what is not mentioned: default takes those not set so far, and without one they are bad.
func parsePairs(text string) (control, error) {
	var c control
	var set [len(c)]bool
	fill := func(a action) {
		for code := range c {
			if !set[code] {
				c[code], set[code] = a, true
			}
		}
	}
	if strings.TrimSpace(text) == "" {
		return c, errors.New("nothing in the brackets of the control")
	}
	for text != "" {
		m := pair.FindStringSubmatch(text)
		if m == nil {
			return c, fmt.Errorf("%q in the control is not value=action", text)
		}
		text = text[len(m[0]):]
		a, err := parseAction(m[2])
		if err != nil {
			return c, err
		}
		if m[1] == "default" {
			fill(a)
			continue
		}
		code, ok := codeOf(m[1])
		if !ok {
			return c, fmt.Errorf("unknown value %q in the control", m[1])
		}
		c[code], set[code] = a, true
	}
	fill(bad)
	return c, nil
}

func parseAction(text string) (action, error) {
	if a, ok := actionNames[text]; ok {
		return a, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > longestJump {
		return 0, fmt.Errorf("unknown action %q in the control", text)
	}
	return action(n), nil
}
