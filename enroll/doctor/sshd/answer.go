package sshd

import (
	"regexp"
	"slices"
	"strings"
)

// Options are what is in force for a connection, by keyword in lower case, as sshd -T prints it.
// A keyword that is repeated has all its values.
type Options map[string][]string

// First is the first value of a keyword; "" if it has none.
func (o Options) First(keyword string) string {
	if len(o[keyword]) == 0 {
		return ""
	}
	return o[keyword][0]
}

func (o Options) on(keyword string) bool { return o.First(keyword) == "yes" }

// fields are all words of a keyword's values.
func (o Options) fields(keyword string) []string {
	return strings.Fields(strings.Join(o[keyword], " "))
}

// answer is what sshd -T says for one connection.
type answer struct {
	options Options
	lines   []string // the conditions of all Match lines, in the order in which sshd met them
	matched []string // of those that are for the connection
}

func parseOptions(text string) Options {
	o := Options{}
	for line := range strings.Lines(text) {
		keyword, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		o[keyword] = append(o[keyword], value)
	}
	return o
}

var (
	traced = regexp.MustCompile(`^debug3: checking (syntax|match) for '(.*)'` +
		`(?: user .* lport -?[0-9]+)?(?: on line [0-9]+)?\s*$`)
	found = regexp.MustCompile(`^debug3: match found`)
	again = regexp.MustCompile(`^debug[0-9]: parse_server_config_depth: config reprocess config `)
)

// follow picks the Match lines out of sshd's tracing (servconf.c, match_cfg_line): once when it
// reads all lines, and again when it compares them with the connection.
func (a *answer) follow(trace string) {
	current, second := "", false
	for line := range strings.Lines(trace) {
		second = second || again.MatchString(line)
		m := traced.FindStringSubmatch(line)
		switch {
		case m != nil:
			current = normal(strings.TrimPrefix(m[2], "Match "))
			if !second && m[1] == "syntax" {
				a.lines = append(a.lines, current)
			}
			if m[1] == "match" && isAll(current) { // before 10, sshd does not say so
				a.matched = append(a.matched, current)
			}
		case found.MatchString(line) && !isAll(current):
			a.matched = append(a.matched, current)
		}
	}
}

// normal is a text whose blanks do not matter.
func normal(text string) string { return strings.Join(strings.Fields(text), " ") }

func isAll(conditions string) bool {
	first, _, _ := strings.Cut(conditions, " ")
	return strings.EqualFold(first, "all")
}

func sameLines(a, b []string) bool { return slices.Equal(a, b) }
