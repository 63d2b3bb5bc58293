package ask

import (
	"regexp"
	"strings"

	"latchkey/enroll/doctor/sshd/config"
	"latchkey/enroll/doctor/sshd/ways"
)

// Answer is what sshd -T says for one connection.
type Answer struct {
	Options ways.Options
	Lines   []string // the conditions of all Match lines, in the order in which sshd met them
	Matched []string // of those that are for the connection
}

var (
	traced = regexp.MustCompile(`^debug3: checking (syntax|match) for '(.*)'` +
		`(?: user .* lport -?[0-9]+)?(?: on line [0-9]+)?\s*$`)
	found = regexp.MustCompile(`^debug3: match found`)
	again = regexp.MustCompile(`^debug[0-9]: parse_server_config_depth: config reprocess config `)
)

// follow picks the Match lines out of sshd's tracing (servconf.c, match_cfg_line): once when it
// reads all lines, and again when it compares them with the connection.
func (a *Answer) follow(trace string) {
	current, second := "", false
	for line := range strings.Lines(trace) {
		second = second || again.MatchString(line)
		m := traced.FindStringSubmatch(line)
		switch {
		case m != nil:
			current = config.Normal(strings.TrimPrefix(m[2], "Match "))
			if !second && m[1] == "syntax" {
				a.Lines = append(a.Lines, current)
			}
			if m[1] == "match" && isAll(current) { // before 10, sshd does not say so
				a.Matched = append(a.Matched, current)
			}
		case found.MatchString(line) && !isAll(current):
			a.Matched = append(a.Matched, current)
		}
	}
}

func isAll(conditions string) bool {
	first, _, _ := strings.Cut(conditions, " ")
	return strings.EqualFold(first, "all")
}
