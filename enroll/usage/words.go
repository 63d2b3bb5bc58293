package usage

import (
	"slices"
	"strings"
)

// Words are what may follow the words before it, as part of a command's name.
func Words(before string) (words []string) {
	for _, c := range Commands {
		rest, ok := strings.CutPrefix(c.Name, before)
		if ok && before != "" {
			rest, ok = strings.CutPrefix(rest, " ")
		}
		word, _, _ := strings.Cut(rest, " ")
		if ok && word != "" && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return words
}
