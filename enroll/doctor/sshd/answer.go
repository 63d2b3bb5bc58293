package sshd

import (
	"regexp"
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/ways"
)

// answer is what sshd -T says for one connection.
type answer struct {
	options ways.Options
	lines   []string // the conditions of all Match lines, in the order in which sshd met them
	matched []string // of those that are for the connection
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
