package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// value is one value of the file: what it is called in errors, where it stands and what is written there.
type value struct {
	doc  *document
	name string
	line int
	node *unstable.Node
}

func (v value) errorf(format string, args ...any) error {
	return errorAt(v.doc.file, v.line, format, args...)
}

// unknown is the error for a key that its table does not have.
func (v value) unknown() error {
	if v.doc.table == "" {
		return v.errorf("unknown key %s", quote(v.name))
	}
	return v.errorf("unknown key %s in [%s]", quote(v.name), v.doc.table)
}

// refuse is the error for a value that is not what it must be.
func (v value) refuse(must string) error {
	return v.errorf("%s must %s, not %s", v.name, must, v.found())
}

// found describes a value of the wrong kind by its kind, and a wrong value by itself.
func (v value) found() string {
	switch v.node.Kind {
	case unstable.String:
		return quote(string(v.node.Data))
	case unstable.Integer, unstable.Float, unstable.Bool:
		return cut(string(v.node.Data))
	case unstable.LocalDate, unstable.LocalTime, unstable.LocalDateTime, unstable.DateTime:
		return "the date or time " + cut(string(v.node.Data))
	case unstable.Array:
		return "a list"
	case unstable.InlineTable:
		return "a table"
	}
	return "this"
}

// cut shortens what the parser has already found to be printable.
func cut(s string) string {
	if len(s) > maxQuoted {
		return s[:maxQuoted] + "…"
	}
	return s
}

// boolean reads true or false.
func (v value) boolean(into *bool) error {
	if v.node.Kind != unstable.Bool {
		return v.refuse("be true or false")
	}
	*into = string(v.node.Data) == "true"
	return nil
}

// integer reads a whole number within bounds, both included.
func (v value) integer(into *int, least, most int) error {
	must := fmt.Sprintf("be a whole number from %d to %d", least, most)
	if v.node.Kind != unstable.Integer {
		return v.refuse(must)
	}
	n, err := strconv.ParseInt(string(v.node.Data), 0, 64)
	if err != nil || n < int64(least) || n > int64(most) {
		return v.refuse(must)
	}
	*into = int(n)
	return nil
}

// text reads a string that ok accepts.
func (v value) text(into *string, must string, ok func(string) bool) error {
	if v.node.Kind != unstable.String || !ok(string(v.node.Data)) {
		return v.refuse(must)
	}
	*into = string(v.node.Data)
	return nil
}

// list reads a list, possibly empty, of different values.
func list[T comparable](v value, into *[]T, read func(value, *T) error) error {
	if v.node.Kind != unstable.Array {
		return v.refuse(`be a list such as ["a", "b"]`)
	}
	items := []T{}
	for it := v.node.Children(); it.Next(); {
		var item T
		e := v.element(it.Node())
		if err := read(e, &item); err != nil {
			return err
		}
		if slices.Contains(items, item) {
			return e.errorf("%s lists %s twice", v.name, e.found())
		}
		items = append(items, item)
	}
	*into = items
	return nil
}

// some is list for one that must not be empty. Whether an empty list of users means nobody or everybody is a question
// that a policy should not raise.
func some[T comparable](v value, into *[]T, read func(value, *T) error) error {
	if err := list(v, into, read); err != nil {
		return err
	}
	if len(*into) == 0 {
		return v.errorf("%s is an empty list: leave it out or name at least one", v.name)
	}
	return nil
}

// element is one value of a list.
func (v value) element(n *unstable.Node) value {
	e := value{doc: v.doc, name: "each of " + v.name, line: v.line, node: n}
	if n.Raw.Length > 0 { // a list in a list has no place of its own
		e.line = v.doc.lineOf(n)
	}
	return e
}

// word reads one of the known words.
func word[T ~string](known ...T) func(value, *T) error {
	return func(v value, into *T) error {
		isKnown := func(s string) bool { return slices.Contains(known, T(s)) }
		var s string
		err := v.text(&s, "be "+alternatives(known), isKnown)
		*into = T(s)
		return err
	}
}

// alternatives lists the known words for an error: `"a", "b" or "c"`.
func alternatives[T ~string](known []T) string {
	var b strings.Builder
	for i, word := range known {
		switch {
		case i == 0:
		case i == len(known)-1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(strconv.Quote(string(word)))
	}
	return b.String()
}
