package prompt

import (
	"fmt"
	"strings"
)

// Advice is what may help a user whose login was refused for good.
type Advice struct {
	Choices
	Typed bool // the user typed answers, none of which was right
	Wrong bool // and some of them were codes that were compared
	// by how many seconds the phone's clock is fast, or, less than 0, slow; 0: not known
	Drift int64
	Help  string // whom to ask, in the administrator's words; "": nothing
}

// String is the advice, in lines that fit 80 columns; "" if there is none.
func (a Advice) String() string {
	var lines []string
	if a.Typed {
		if a.Wrong {
			lines = append(lines, a.clock()...)
		}
		if a.Wrong && a.Token {
			lines = append(lines, "Token: type two of its codes, one after the other.")
		}
		if a.Recovery && a.Own() || a.Recovery && len(a.Phones) > 0 {
			lines = append(lines, "A recovery code works in place of any other code.")
		}
	}
	if a.Help != "" {
		lines = append(lines, a.Help)
	}
	if a.Typed && len(lines) > 0 {
		lines = append([]string{"What may help:"}, lines...)
	}
	return Wrap(strings.Join(lines, "\n"))
}

// clock is about the one of the phone that has the app.
func (a Advice) clock() []string {
	faster, slower := "fast", "slow"
	if a.Drift < 0 {
		faster, slower = slower, faster
	}
	switch {
	case !a.App:
		return nil
	case a.Drift == 0:
		return []string{"App: set your phone's clock to the network's time. Codes depend on it."}
	}
	return []string{fmt.Sprintf("Your phone's clock is about %d seconds %s, or this host's is %s.",
		max(a.Drift, -a.Drift), faster, slower), "Set the phone's clock to the network's time."}
}

// width is how long a line is at the most.
const width = 79

// Wrap breaks lines between words, so that they fit 80 columns.
func Wrap(text string) string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		for runes := []rune(line); len(runes) > width; runes = []rune(line) {
			at := end(string(runes[:width+1]))
			if at <= 0 {
				break // one word
			}
			out, line = append(out, line[:at]), line[at+1:]
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// end is where to break text: behind its last sentence that ends in it, or else its last word.
func end(text string) int {
	for _, sign := range []string{". ", "; "} {
		if at := strings.LastIndex(text, sign); at > 0 {
			return at + 1
		}
	}
	return strings.LastIndex(text, " ")
}
