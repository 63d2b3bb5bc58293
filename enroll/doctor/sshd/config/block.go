package config

import (
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/pattern"
)

// Never reports whether a Match line can be for no connection: it has exceptions alone.
func (b *Block) Never() bool {
	return slices.ContainsFunc(b.Criteria, func(c Criterion) bool {
		plain, _ := pattern.Parts(c.Patterns)
		return c.Patterns != "" && len(plain) == 0 || c.Attribute == "invalid-user"
	})
}

// ByName reports whether a Match line is about the names of clients, which sshd asks for with
// UseDNS alone.
func (b *Block) ByName() bool {
	return slices.ContainsFunc(b.Criteria, func(c Criterion) bool { return c.Attribute == "host" })
}

// Within reports whether a block is another, or inside it.
func (b *Block) Within(outer *Block) bool {
	for ; b != nil; b = b.Outer {
		if b == outer {
			return true
		}
	}
	return false
}

// Applies reports whether a Match line, and those around it, are for a connection.
func (b *Block) Applies(q *Connection) bool {
	for _, c := range b.Criteria {
		if !c.Holds(q) {
			return false
		}
	}
	return b.Unread == "" && (b.Outer == nil || b.Outer.Applies(q))
}

// Value is a setting's value as sshd -T would print it, as far as it matters.
func (s *Setting) Value() string {
	value := strings.Join(s.Values, " ")
	switch strings.ToLower(value) {
	case "yes", "no", "none", "any":
		return strings.ToLower(value)
	case "true":
		return "yes"
	case "false":
		return "no"
	}
	return value
}

// Texts are the conditions of all Match lines.
func (c *Config) Texts() []string {
	var all []string
	for _, b := range c.Blocks {
		all = append(all, b.Conditions())
	}
	return all
}

// Conditions are those of a Match line; how they are spaced does not matter.
func (b *Block) Conditions() string { return Normal(b.Text) }

// Normal is a text whose blanks do not matter.
func Normal(text string) string { return strings.Join(strings.Fields(text), " ") }
