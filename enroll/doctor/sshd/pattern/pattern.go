// Package pattern matches names and addresses as sshd does.
package pattern

import "strings"

// Fits reports whether text is what a pattern with * and ? describes (match.c, match_pattern).
func Fits(pattern, text string) bool {
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

// List is what a list of patterns says of a value.
type List int

// The values of List.
const (
	Misses   List = iota
	Includes      // a pattern fits
	Excludes      // a pattern behind an exclamation mark fits; what else does has no effect
)

// judge applies one(pattern) to each pattern of a list with commas.
func judge(patterns string, one func(pattern string) bool) List {
	found := Misses
	for _, p := range strings.Split(patterns, ",") {
		plain, negated := strings.CutPrefix(p, "!")
		switch {
		case plain == "" || !one(plain):
		case negated:
			return Excludes
		default:
			found = Includes
		}
	}
	return found
}

// Names is judge for names.
func Names(patterns, name string) List {
	return judge(patterns, func(p string) bool { return Fits(p, name) })
}

// Hosts is judge for host names, which have no case.
func Hosts(patterns, host string) List {
	return Names(strings.ToLower(patterns), strings.ToLower(host))
}

// Parts are the patterns of a list that are no exceptions, and exceptions the others.
func Parts(patterns string) (all, exceptions []string) {
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

// Wild reports whether a pattern has wildcards.
func Wild(pattern string) bool { return strings.ContainsAny(pattern, "*?") }
