package pamd

import (
	"errors"
	"fmt"
	"strings"

	"latchkey/enroll/doctor/stack/control"
)

// Type is a management group.
type Type string

// The types.
const (
	Auth     Type = "auth"
	Account  Type = "account"
	Session  Type = "session"
	Password Type = "password"
)

// Types are all of them.
var Types = map[Type]bool{Auth: true, Account: true, Session: true, Password: true}

// Entry is a parsed line: a module, or a file to include.
type Entry struct {
	Type     Type // empty: @include takes all types
	Module   string
	Args     []string
	Control  control.Control
	Include  string // a file; empty: it is a module
	Substack bool
}

// Parse reads a line.
func (l Line) Parse() (Entry, error) {
	words, err := tokens(l.Text)
	if err != nil {
		return Entry{}, err
	}
	return parseEntry(words)
}

func parseEntry(words []string) (Entry, error) {
	first := strings.ToLower(words[0])
	if first == "@include" {
		return parseInclude(Entry{}, words[1:])
	}
	kind := Type(strings.TrimPrefix(first, "-"))
	if !Types[kind] {
		return Entry{}, fmt.Errorf("unknown type %q", words[0])
	}
	if len(words) < 2 {
		return Entry{}, errors.New("no control")
	}
	keyword := strings.ToLower(words[1])
	if keyword == "include" || keyword == "substack" {
		return parseInclude(Entry{Type: kind, Substack: keyword == "substack"}, words[2:])
	}
	c, err := control.Parse(words[1])
	if err != nil {
		return Entry{}, err
	}
	if len(words) < 3 || words[2] == "" {
		return Entry{}, errors.New("no module")
	}
	return Entry{Type: kind, Module: words[2], Args: words[3:], Control: c}, nil
}

func parseInclude(e Entry, words []string) (Entry, error) {
	if len(words) == 0 || words[0] == "" {
		return e, errors.New("an include names no file")
	}
	e.Include = words[0]
	return e, nil
}
