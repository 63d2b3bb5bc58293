// Package nearest finds what was meant by a word that is misspelled.
package nearest

import "strings"

// To is the one of words that is most like word, in whichever case; empty: none is like it. A
// misspelling differs by one letter that is missing, too many, another one or before its time, and
// in long words by two. Of several that are equally like it, the first counts.
func To(word string, words []string) string {
	best, least := "", 1+most(word)
	for _, other := range words {
		if d := distance(strings.ToLower(word), strings.ToLower(other)); d < least {
			best, least = other, d
		}
	}
	return best
}

// most is by how much a word may differ: in a short one every letter counts.
func most(word string) int {
	switch n := len(word); {
	case n > maxWord || n < 2:
		return -1
	case n < 5:
		return 1
	}
	return 2
}

// maxWord bounds the work.
const maxWord = 64

// distance is the number of letters by which a and b differ, two letters that changed places being
// one (the optimal string alignment distance).
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			d := min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d = min(d, rows[i-2][j-2]+1)
			}
			rows[i][j] = d
		}
	}
	return rows[len(a)][len(b)]
}

// Ask is "; did you mean X?", written as shown writes words; empty if none of words is like word.
func Ask(word string, words []string, shown func(string) string) string {
	if other := To(word, words); other != "" {
		return "; did you mean " + shown(other) + "?"
	}
	return ""
}
