package prompt

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"latchkey/pam/factor/normalize"
	"latchkey/pam/method"
)

// bare is an answer in lower case and without the quotation marks in which texts show words.
func bare(answer string) string {
	return strings.ToLower(strings.TrimSpace(normalize.Without(answer, `"'`)))
}

// Word is what to say to an answer that is a word, and not one that asks for a code (Parse); false
// if the answer is none. Words are no codes, so they are compared with nothing.
func (c Choices) Word(answer string) (say string, ok bool) {
	if _, possible := normalize.AnyCode(answer); possible {
		return "", false
	}
	word := bare(answer)
	if word == "help" || word == "?" {
		return c.Help(), true
	}
	for _, m := range []method.Method{method.SMS, method.Call} {
		if rest, ok := strings.CutPrefix(word, string(m)); ok &&
			normalize.IsDigits(strings.TrimSpace(rest)) {
			return c.cannotSend(m), true
		}
	}
	if strings.ContainsFunc(word, unicode.IsLetter) &&
		!strings.ContainsFunc(word, unicode.IsDigit) {
		return NotACode, true
	}
	return "", false
}

// cannotSend says that codes do not come that way, or to no phone with that number.
func (c Choices) cannotSend(m method.Method) string {
	switch {
	case slices.Contains(c.Channels, m):
		return "No such phone."
	case m == method.Call:
		return "No calls here."
	}
	return "No SMS here."
}

// Help is what can be typed at a prompt, a line each.
func (c Choices) Help() string {
	lines := []string{"You can type"}
	if c.Own() {
		lines = append(lines, "  the code that your "+c.devices()+" shows")
	}
	for _, m := range c.Channels {
		for i := range c.Phones {
			word := string(m)
			if len(c.Phones) > 1 {
				word = fmt.Sprintf("%s %d", m, i+1)
			}
			lines = append(lines, fmt.Sprintf("  %s, and then the code that %s brings to %s",
				word, article(m), c.Phones[i].Hint))
		}
	}
	switch {
	case c.Offline:
		lines = append(lines, "  a break-glass code of this host: each works once")
	case c.Recovery:
		lines = append(lines, "  a recovery code, such as abcde-12345: each works once")
	}
	if c.Bypass {
		lines = append(lines, "  the code that your administrator gave you")
	}
	return strings.Join(lines, "\n") + "\n"
}

func article(m method.Method) string {
	if m == method.Call {
		return "a call"
	}
	return "a text"
}
