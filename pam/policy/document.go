package policy

import (
	"errors"

	"github.com/pelletier/go-toml/v2/unstable"
)

// document is latchkey.toml while it is read. go-toml's parser says what is written where; document gives it a meaning
// and refuses repetitions. go-toml's decoder would do that too, but could not say on which line tries = 0 is, and its
// errors name Go types. FuzzParse holds the two against each other.
type document struct {
	file   string
	parser unstable.Parser
	policy *Policy

	table  string         // the header above the current line, "" before the first
	tables map[string]int // lines of the single-bracket headers so far
	keys   map[string]int // lines of the keys so far below the current header
}

func newDocument(file string, data []byte) *document {
	d := &document{file: file, policy: defaults(), tables: map[string]int{}, keys: map[string]int{}}
	d.parser.Reset(data)
	return d
}

// expression takes one header or one `key = value`.
func (d *document) expression(n *unstable.Node) error {
	name, line, dotted := d.key(n)
	switch n.Kind {
	case unstable.Table:
		return d.openTable(name, line)
	case unstable.ArrayTable:
		return d.openRule(name, line)
	case unstable.KeyValue:
		if dotted {
			return errorAt(d.file, line, "dotted key %s: write a header and the key below it", quote(name))
		}
		return d.setting(value{doc: d, name: name, line: line, node: n.Value()})
	}
	return errorAt(d.file, line, "unexpected %s", n.Kind)
}

// key returns a header or a key, the line it is on, and whether it has several parts, which are joined by dots. No known
// name has a dot, so that a quoted "limits.tries" is not mistaken for anything.
func (d *document) key(n *unstable.Node) (name string, line int, dotted bool) {
	it := n.Key()
	for it.Next() {
		if line == 0 {
			name, line = string(it.Node().Data), d.lineOf(it.Node())
			continue
		}
		name, dotted = name+"."+string(it.Node().Data), true
	}
	return name, line, dotted
}

// openTable takes [name].
func (d *document) openTable(name string, line int) error {
	switch name {
	case "limits", "phone", "trust":
	case "rule":
		return errorAt(d.file, line, "write [[rule]], with two brackets on each side")
	default:
		return errorAt(d.file, line, "unknown table %s", quote(name))
	}
	if first, twice := d.tables[name]; twice {
		return errorAt(d.file, line, "[%s] is written twice, first on line %d", name, first)
	}
	d.tables[name] = line
	return d.enter(name)
}

// openRule takes [[name]].
func (d *document) openRule(name string, line int) error {
	switch name {
	case "rule":
	case "limits", "phone", "trust":
		return errorAt(d.file, line, "write [%s], with one bracket on each side", name)
	default:
		return errorAt(d.file, line, "unknown table %s", quote(name))
	}
	if err := d.enter(name); err != nil {
		return err
	}
	d.policy.Rules = append(d.policy.Rules, Rule{Line: line})
	return nil
}

// enter leaves the current table for another.
func (d *document) enter(name string) error {
	if err := d.closeTable(); err != nil {
		return err
	}
	d.table = name
	clear(d.keys)
	return nil
}

// closeTable checks what can only be known once all keys of a table are.
func (d *document) closeTable() error {
	if d.table != "rule" {
		return nil
	}
	return d.currentRule().complete(d.file, d.keys)
}

func (d *document) currentRule() *Rule {
	return &d.policy.Rules[len(d.policy.Rules)-1]
}

// setting takes one `key = value`.
func (d *document) setting(v value) error {
	if first, twice := d.keys[v.name]; twice {
		return v.errorf("%s is set twice, first on line %d", v.name, first)
	}
	d.keys[v.name] = v.line
	return d.store(v)
}

// store gives the value to the table that the current header names.
func (d *document) store(v value) error {
	switch d.table {
	case "":
		return d.policy.set(v)
	case "limits":
		return d.policy.setLimit(v)
	case "phone":
		return d.policy.Phone.set(v)
	case "trust":
		return d.policy.Trust.set(v)
	case "rule":
		return d.currentRule().set(v)
	}
	return v.unknown()
}

// lineOf returns the line of a node that the parser gave a place.
func (d *document) lineOf(n *unstable.Node) int {
	return lineAt(d.parser.Data(), int(n.Raw.Offset))
}

// syntaxError returns what stopped the parser, or nil at the end of the file.
func (d *document) syntaxError() error {
	err := d.parser.Error()
	if err == nil {
		return nil
	}
	line := lineAt(d.parser.Data(), len(d.parser.Data()))
	var where *unstable.ParserError
	if errors.As(err, &where) {
		line = lineAt(d.parser.Data(), int(d.parser.Range(where.Highlight).Offset))
	}
	return errorAt(d.file, line, "%s", err.Error())
}
