package strict

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"
)

// Value is one value of the file: its name in errors, its position and its text.
type Value struct {
	Name   string
	Line   int
	reader *reader
	node   *unstable.Node
}

// Errorf makes an Error about the value's line.
func (v Value) Errorf(format string, args ...any) error {
	return v.reader.ErrorAt(v.Line, format, args...)
}

// Unknown returns the error for a key that its table does not have.
func (v Value) Unknown() error {
	switch r := v.reader; {
	case r.Hidden != "":
		return v.Errorf("%s", r.Hidden)
	case r.table == "":
		return v.Errorf("unknown key %s%s", Quote(v.Name), r.meant(v.Name))
	default:
		return v.Errorf("unknown key %s in [%s]%s", Quote(v.Name), r.table, r.meant(v.Name))
	}
}

// Refuse returns the error for a value that is not what it must be.
func (v Value) Refuse(must string) error {
	if v.reader.Hidden != "" {
		return v.Errorf("%s must %s", v.Name, must)
	}
	return v.Errorf("%s must %s, not %s", v.Name, must, v.found())
}

// found describes a value of the wrong kind by its kind, and a wrong value by itself.
func (v Value) found() string {
	switch v.node.Kind {
	case unstable.String:
		return Quote(string(v.node.Data))
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

// String returns the text of a string; ok is false for a value of another kind.
func (v Value) String() (text string, ok bool) {
	if v.node.Kind != unstable.String {
		return "", false
	}
	return string(v.node.Data), true
}

// Text reads a string that ok accepts.
func (v Value) Text(into *string, must string, ok func(string) bool) error {
	text, isText := v.String()
	if !isText || !ok(text) {
		return v.Refuse(must)
	}
	*into = text
	return nil
}

// Bool reads true or false.
func (v Value) Bool(into *bool) error {
	if v.node.Kind != unstable.Bool {
		return v.Refuse("be true or false")
	}
	*into = string(v.node.Data) == "true"
	return nil
}

// Int reads a whole number within bounds, both included.
func (v Value) Int(into *int, least, most int) error {
	must := fmt.Sprintf("be a whole number from %d to %d", least, most)
	if v.node.Kind != unstable.Integer {
		return v.Refuse(must)
	}
	n, err := strconv.ParseInt(string(v.node.Data), 0, 64)
	if err != nil || n < int64(least) || n > int64(most) {
		return v.Refuse(must)
	}
	*into = int(n)
	return nil
}

// Uint32 reads a number such as a uid.
func (v Value) Uint32(into *uint32) error {
	const must = "be a whole number from 0 to 4294967295"
	if v.node.Kind != unstable.Integer {
		return v.Refuse(must)
	}
	n, err := strconv.ParseUint(string(v.node.Data), 0, 32)
	if err != nil {
		return v.Refuse(must)
	}
	*into = uint32(n)
	return nil
}

// Date reads a local date, at midnight UTC. The parser checks only that it looks like one.
func (v Value) Date(into *time.Time) error {
	return v.time(into, unstable.LocalDate, time.DateOnly,
		"be a date such as 2027-01-31, without quotes")
}

// Time reads a date and time in UTC, to the second.
func (v Value) Time(into *time.Time) error {
	return v.time(into, unstable.DateTime, "2006-01-02T15:04:05Z",
		"be a time such as 2027-01-31T12:00:00Z, without quotes")
}

func (v Value) time(into *time.Time, kind unstable.Kind, layout, must string) error {
	if v.node.Kind != kind {
		return v.Refuse(must)
	}
	text := string(v.node.Data)
	t, err := time.Parse(layout, text)
	if err != nil || t.Format(layout) != text { // Parse accepts an hour of one digit
		return v.Refuse(must)
	}
	*into = t
	return nil
}

// List reads a list, possibly empty, of different values.
func List[T comparable](v Value, into *[]T, read func(Value, *T) error) error {
	if v.node.Kind != unstable.Array {
		return v.Refuse(`be a list such as ["a", "b"]`)
	}
	items := []T{}
	for it := v.node.Children(); it.Next(); {
		var item T
		e := v.element(it.Node())
		if err := read(e, &item); err != nil {
			return err
		}
		if slices.Contains(items, item) {
			return e.Errorf("%s lists%s twice", v.Name, e.shown())
		}
		items = append(items, item)
	}
	*into = items
	return nil
}

func (v Value) shown() string {
	if v.reader.Hidden != "" {
		return " a value"
	}
	return " " + v.found()
}

// Some is List for a list that must not be empty. A file should not raise the question whether an
// empty list of users means no one or everyone.
func Some[T comparable](v Value, into *[]T, read func(Value, *T) error) error {
	if err := List(v, into, read); err != nil {
		return err
	}
	if len(*into) == 0 {
		return v.Errorf("%s is an empty list: leave it out or name at least one", v.Name)
	}
	return nil
}

// element is one value of a list.
func (v Value) element(n *unstable.Node) Value {
	e := Value{Name: "each of " + v.Name, Line: v.Line, reader: v.reader, node: n}
	if n.Raw.Length > 0 { // a list in a list has no position of its own
		e.Line = v.reader.lineOf(n)
	}
	return e
}

// Word reads one of the known words.
func Word[T ~string](known ...T) func(Value, *T) error {
	return func(v Value, into *T) error {
		isKnown := func(s string) bool { return slices.Contains(known, T(s)) }
		var s string
		err := v.Text(&s, "be "+alternatives(known), isKnown)
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
