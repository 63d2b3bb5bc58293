package strict

import (
	"slices"

	"latchkey/pam/nearest"
)

// meant says what may have been meant by a key that its table does not have: it is misspelled, or
// stands in the wrong place. It is empty if nothing is like it.
func (r *reader) meant(key string) string {
	if r.Keys == nil {
		return ""
	}
	keys := r.Keys()
	if asked := nearest.Ask(key, keys[r.table], Quote); asked != "" {
		return asked
	}
	for _, table := range r.places() {
		if slices.Contains(keys[table], key) {
			return "; it belongs " + r.place(table)
		}
	}
	for _, table := range r.places() {
		if other := nearest.To(key, keys[table]); other != "" {
			return "; did you mean " + Quote(other) + " " + r.place(table) + "?"
		}
	}
	return ""
}

// places are the top of the file and its tables.
func (r *reader) places() []string { return slices.Concat([]string{""}, r.Tables, r.Lists) }

// place says where the keys of a table stand.
func (r *reader) place(table string) string {
	if table == "" {
		return "above the first table"
	}
	return "below " + r.header(table)
}

// header is a table's, as it is written in the file.
func (r *reader) header(table string) string {
	if slices.Contains(r.Lists, table) {
		return "[[" + table + "]]"
	}
	return "[" + table + "]"
}

// meantTable is meant for a header.
func (r *reader) meantTable(name string) string {
	return nearest.Ask(name, slices.Concat(r.Tables, r.Lists), r.header)
}
