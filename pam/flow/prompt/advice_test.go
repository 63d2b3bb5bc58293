package prompt

import (
	"strings"
	"testing"

	"latchkey/pam/authority"
	"latchkey/pam/method"
)

func TestAdviceAndHelpFitEightyColumnsInASCII(t *testing.T) {
	for _, c := range all() {
		a := Advice{Choices: c, Typed: true, Wrong: true, Drift: -3570,
			Help: strings.Repeat("Ask the help desk. ", 20) + "x"}
		for _, text := range []string{a.String(), c.Help(), Wrap(LockedForGood), Wrap(NotSaved),
			Wrap(Sorry), Wrap(NotTrusted)} {
			for line := range strings.SplitSeq(text, "\n") {
				if len(line) > 79 || strings.ContainsFunc(line, func(r rune) bool {
					return r < ' ' || r > '~'
				}) {
					t.Errorf("got %q, want 79 columns of ASCII", line)
				}
			}
		}
	}
}

func TestPromptsFitBesideLongNames(t *testing.T) {
	phone := authority.Device{Type: method.Phone, Hint: "...1234"}
	for _, c := range all() {
		for _, front := range []int{13, 30, 50, 79, 120} {
			c.InFront = front
			for _, said := range []string{"", NotAccepted, UsedBefore, NotACode,
				SentTo(Choice{method.SMS, phone}), c.Help()} {
				first, _, below := strings.Cut(c.Prompt(said, SentEarlier), "\n")
				if len(strings.TrimRight(first, " "))+front > 80 && !(below && first == "") {
					t.Errorf("got %q behind %d columns", first, front)
				}
			}
		}
	}
}

func TestWrapBreaksBehindASentenceOrElseAWord(t *testing.T) {
	a := strings.Repeat("a", 40)
	for text, want := range map[string]string{
		"short":                 "short",
		a + ". " + a + " end":   a + ".\n" + a + " end",
		a + " " + a + " end":    a + "\n" + a + " end",
		strings.Repeat(a, 3):    strings.Repeat(a, 3),
		"one\n" + a + " " + a:   "one\n" + a + "\n" + a,
		"ü" + a + " " + a + "ü": "ü" + a + "\n" + a + "ü",
	} {
		if got := Wrap(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
