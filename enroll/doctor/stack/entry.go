package stack

import (
	"errors"
	"fmt"
	"strings"

	"latchkey/enroll/doctor/stack/control"
)

// entry is a parsed line: a module, or a file to include.
type entry struct {
	kind     Type // empty: @include takes all types
	line     *Line
	include  string
	substack bool
}

func parseEntry(words []string) (entry, error) {
	first := strings.ToLower(words[0])
	if first == "@include" {
		return parseInclude(entry{}, words[1:])
	}
	kind := Type(strings.TrimPrefix(first, "-"))
	if !types[kind] {
		return entry{}, fmt.Errorf("unknown type %q", words[0])
	}
	if len(words) < 2 {
		return entry{}, errors.New("no control")
	}
	keyword := strings.ToLower(words[1])
	if keyword == "include" || keyword == "substack" {
		return parseInclude(entry{kind: kind, substack: keyword == "substack"}, words[2:])
	}
	c, err := control.Parse(words[1])
	if err != nil {
		return entry{}, err
	}
	if len(words) < 3 || words[2] == "" {
		return entry{}, errors.New("no module")
	}
	l := &Line{Type: kind, Module: words[2], control: c}
	l.Args = words[3:]
	return entry{kind: kind, line: l}, nil
}

func parseInclude(e entry, words []string) (entry, error) {
	if len(words) == 0 || words[0] == "" {
		return e, errors.New("an include names no file")
	}
	e.include = words[0]
	return e, nil
}
