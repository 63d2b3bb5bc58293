package plan

import (
	"regexp"
	"strings"

	"latchkey/enroll/doctor/stack"
	"latchkey/enroll/doctor/stack/pamd"
)

// line is a line of a PAM file with what it says.
type line struct {
	pamd.Entry
	text        string // continuations joined, comments gone
	first, last int    // its lines in the file, from 0
}

// parse reads a PAM file.
func parse(text string) ([]line, error) {
	all, err := pamd.Lines(text)
	if err != nil {
		return nil, err
	}
	raw := strings.Split(text, "\n")
	var lines []line
	for _, l := range all {
		e, err := l.Parse()
		if err != nil {
			return nil, err
		}
		at := line{Entry: e, text: l.Text, first: l.Number - 1, last: l.Number - 1}
		for goesOn(raw[at.last]) {
			at.last++
		}
		lines = append(lines, at)
	}
	return lines, nil
}

// goesOn reports whether a line of a file ends in a backslash.
func goesOn(text string) bool {
	text, _, comment := strings.Cut(text, "#")
	return !comment && strings.HasSuffix(strings.TrimRight(text, " \t"), `\`)
}

// isAuth reports whether a line has a part in auth.
func (l line) isAuth() bool { return l.Type == pamd.Auth || l.Type == "" && l.Include != "" }

// inlined are the lines of auth that a line comes to, those that it includes in its place. plain
// reports whether they mean the same there: what is included has nothing for other types.
func (p *planner) inlined(l line, depth int) (all []line, plain bool) {
	if l.Include == "" {
		return []line{l}, true
	}
	text, err := p.include(l.Include)
	if err != nil || depth == 0 {
		return nil, false
	}
	included, err := parse(text)
	if err != nil {
		return nil, false
	}
	for _, of := range included {
		if !of.isAuth() {
			plain = l.Type != ""
			if !plain {
				return all, false
			}
			continue
		}
		more, same := p.inlined(of, depth-1)
		all = append(all, more...)
		if !same || of.Substack {
			return all, false
		}
	}
	return all, true
}

// deepest is how deep includes are followed.
const deepest = 8

// checksPassword reports whether a line, or one that it includes, asks for the password.
func (p *planner) checksPassword(l line) bool {
	all, _ := p.inlined(l, deepest)
	for _, of := range all {
		if of.Include == "" && stack.ChecksPassword(of.Module) {
			return true
		}
	}
	return false
}

// module takes a line of a module apart: its type, its control (in brackets or not), and the rest.
var module = regexp.MustCompile(`^(-?\w+)\s+(?:(\[[^\]]*\])\s*|(\S+)\s+)(\S.*)$`)
