package sshd

import "strings"

// fits reports whether text is what a pattern with * and ? describes (match.c, match_pattern).
func fits(pattern, text string) bool {
	star, mark := -1, 0 // where to go on after the last *, one byte further each time
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// list is what a list of patterns says of a value.
type list int

const (
	misses   list = iota
	includes      // a pattern fits
	excludes      // a pattern behind an exclamation mark fits, whatever else does
)

// judge applies one(pattern) to each pattern of a list with commas.
func judge(patterns string, one func(pattern string) bool) list {
	found := misses
	for _, p := range strings.Split(patterns, ",") {
		plain, negated := strings.CutPrefix(p, "!")
		switch {
		case plain == "" || !one(plain):
		case negated:
			return excludes
		default:
			found = includes
		}
	}
	return found
}

// names is judge for names.
func names(patterns, name string) list {
	return judge(patterns, func(p string) bool { return fits(p, name) })
}

// hosts is judge for host names, which have no case.
func hosts(patterns, host string) list {
	return names(strings.ToLower(patterns), strings.ToLower(host))
}

// positive are the patterns of a list that are no exceptions, and exceptions the others.
func positive(patterns string) (all, exceptions []string) {
	for _, p := range strings.Split(patterns, ",") {
		plain, negated := strings.CutPrefix(p, "!")
		switch {
		case plain == "":
		case negated:
			exceptions = append(exceptions, plain)
		default:
			all = append(all, plain)
		}
	}
	return all, exceptions
}

func wild(pattern string) bool { return strings.ContainsAny(pattern, "*?") }
