// Package strict reads TOML in its plain spelling and names the file and line of every mistake.
//
// Plain means keys, [tables] and [[lists of tables]]. Dotted keys and inline tables are refused,
// so that every setting has one spelling and one line. A key that is unknown or written twice is
// an error, because a misspelled key that is skipped is a setting that silently does not apply.
//
// go-toml's parser finds what is written where, and a Schema says what it means. go-toml's own
// decoder loses the line of some mistakes (a number out of range), other decoders that of unknown
// keys, and their errors name Go types.
package strict

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Schema is the format of a file and what to do with its content.
type Schema struct {
	File   string   // its name in errors
	Limit  int      // how many bytes it may have
	Tables []string // what may be written [name]
	Lists  []string // what may be written [[name]]
	// Keys are the keys of each table, "" being the top of the file: they are only used to guess
	// what was meant by one that is unknown, and so made only then. May be nil.
	Keys func() map[string][]string

	// Hidden, if set, says that nothing written in the file may be shown, not even a key: in a
	// file of secrets, anything may be a secret in the wrong place. It is the error for an unknown
	// key.
	Hidden string

	Open func(table string, line int) // a header begins; may be nil
	// each key and its value; table is "" above all headers
	Set func(table string, v Value) error
	// a table ends, with the lines of its keys; may be nil
	Close func(table string, lines map[string]int) error
}

// Error is a mistake in a file.
type Error struct {
	File string
	Line int // counted from 1
	What string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.What) }

// Read reads data. Every error is an Error (the first mistake in the file) or one that Set or
// Close returned.
func (s Schema) Read(data []byte) error {
	if err := s.checkText(data); err != nil {
		return err
	}
	r := &reader{Schema: s, tables: map[string]int{}, keys: map[string]int{}}
	r.parser.Reset(data)
	for r.parser.NextExpression() {
		if err := r.expression(r.parser.Expression()); err != nil {
			return err
		}
	}
	if err := r.syntaxError(); err != nil {
		return err
	}
	return r.close()
}

// ErrorAt makes an Error about a line of the file.
func (s Schema) ErrorAt(line int, format string, args ...any) error {
	return &Error{s.File, line, fmt.Sprintf(format, args...)}
}

// shown quotes what is written in the file; where that is hidden, it returns "".
func (s Schema) shown(text string) string {
	if s.Hidden != "" {
		return ""
	}
	return " " + Quote(text)
}

// reader is the state of reading a file.
type reader struct {
	Schema
	parser unstable.Parser
	table  string         // the header above the current line, "" above the first
	tables map[string]int // lines of the single-bracket headers so far
	keys   map[string]int // lines of the keys so far below the current header
}

// expression takes one header or one `key = value`.
func (r *reader) expression(n *unstable.Node) error {
	name, line, dotted := r.key(n)
	switch {
	case n.Kind == unstable.Table:
		return r.openTable(name, line)
	case n.Kind == unstable.ArrayTable:
		return r.openList(name, line)
	case n.Kind != unstable.KeyValue:
		return r.ErrorAt(line, "unexpected %s", n.Kind)
	case dotted && r.Hidden != "":
		return r.ErrorAt(line, "%s", r.Hidden)
	case dotted:
		return r.ErrorAt(line, "dotted key %s: write a header and the key below it", Quote(name))
	}
	return r.setting(Value{Name: name, Line: line, reader: r, node: n.Value()})
}

// key returns a header or a key, the line it is on, and whether it has several parts, which are
// joined by dots. No known name has a dot, so that a quoted "limits.tries" is not mistaken for
// anything.
func (r *reader) key(n *unstable.Node) (name string, line int, dotted bool) {
	it := n.Key()
	for it.Next() {
		if line == 0 {
			name, line = string(it.Node().Data), r.lineOf(it.Node())
			continue
		}
		name, dotted = name+"."+string(it.Node().Data), true
	}
	return name, line, dotted
}

// openTable takes [name].
func (r *reader) openTable(name string, line int) error {
	switch {
	case slices.Contains(r.Lists, name):
		return r.ErrorAt(line, "write [[%s]], with two brackets on each side", name)
	case !slices.Contains(r.Tables, name):
		return r.unknownTable(name, line)
	}
	if first, twice := r.tables[name]; twice {
		return r.ErrorAt(line, "[%s] is written twice, first on line %d", name, first)
	}
	r.tables[name] = line
	return r.enter(name, line)
}

// openList takes [[name]].
func (r *reader) openList(name string, line int) error {
	switch {
	case slices.Contains(r.Tables, name):
		return r.ErrorAt(line, "write [%s], with one bracket on each side", name)
	case !slices.Contains(r.Lists, name):
		return r.unknownTable(name, line)
	}
	return r.enter(name, line)
}

func (r *reader) unknownTable(name string, line int) error {
	if len(r.Tables)+len(r.Lists) == 0 {
		return r.ErrorAt(line, "the file has no tables")
	}
	return r.ErrorAt(line, "unknown table%s%s", r.shown(name), r.meantTable(name))
}

// enter leaves the current table for another.
func (r *reader) enter(name string, line int) error {
	if err := r.close(); err != nil {
		return err
	}
	r.table = name
	clear(r.keys)
	if r.Open != nil {
		r.Open(name, line)
	}
	return nil
}

// close leaves the current table.
func (r *reader) close() error {
	if r.Close == nil {
		return nil
	}
	return r.Close(r.table, r.keys)
}

// setting takes one `key = value`.
func (r *reader) setting(v Value) error {
	if first, twice := r.keys[v.Name]; twice {
		return v.Errorf("%s is set twice, first on line %d", v.Name, first)
	}
	r.keys[v.Name] = v.Line
	switch {
	case r.table != "":
	case slices.Contains(r.Tables, v.Name):
		return v.Errorf("%s is a table: write [%s] and its keys below", v.Name, v.Name)
	case slices.Contains(r.Lists, v.Name):
		return v.Errorf("%s is a list of tables: write [[%s]] and its keys below", v.Name, v.Name)
	}
	return r.Set(r.table, v)
}

// lineOf returns the line of a node that the parser gave a position.
func (r *reader) lineOf(n *unstable.Node) int {
	return lineAt(r.parser.Data(), int(n.Raw.Offset))
}

// syntaxError returns what stopped the parser, or nil at the end of the file.
func (r *reader) syntaxError() error {
	err := r.parser.Error()
	if err == nil {
		return nil
	}
	line := lineAt(r.parser.Data(), len(r.parser.Data()))
	var where *unstable.ParserError
	if errors.As(err, &where) {
		line = lineAt(r.parser.Data(), int(r.parser.Range(where.Highlight).Offset))
	}
	if r.Hidden != "" {
		return r.ErrorAt(line, `this is not TOML: write key = "value"`)
	}
	return r.ErrorAt(line, "%s", err.Error())
}
