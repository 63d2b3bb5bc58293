package sshd

import (
	"fmt"
	"slices"
	"strings"
)

// profile is the same for values of a dimension that can do the same: the lines that speak of
// them set the same under the same other conditions, and nothing between these lines sets
// anything else.
func (m *model) profile(d dimension, v *value) string {
	if v.profile != "" {
		return v.profile
	}
	var b strings.Builder
	b.WriteString(v.marks)
	dns := m.base.On("usedns")
	for i, block := range m.blocks {
		if block.speaksOf(d, dns) && v.bits[i/64]&(1<<(i%64)) != 0 {
			fmt.Fprintf(&b, "\n%d %s: %s", m.rank(i, d, dns), block.conditionsBut(d, dns), block.sets())
		}
	}
	v.profile = b.String()
	return v.profile
}

// speaksOf reports whether a line, or one around it, looks at a dimension.
func (b *Block) speaksOf(d dimension, dns bool) bool {
	for ; b != nil; b = b.outer {
		if slices.ContainsFunc(b.criteria, func(c criterion) bool { return b.looksAt(c, d, dns) }) {
			return true
		}
	}
	return false
}

// conditionsBut are a line's conditions that look at other dimensions.
func (b *Block) conditionsBut(d dimension, dns bool) string {
	var all []string
	for ; b != nil; b = b.outer {
		for _, c := range b.criteria {
			if !b.looksAt(c, d, dns) {
				all = append(all, c.attribute+" "+c.patterns)
			}
		}
	}
	return strings.Join(all, " ")
}

// sets is what a line sets that is decisive.
func (b *Block) sets() string {
	var all []string
	for _, s := range b.settings {
		if slices.Contains(decisive, s.Keyword) {
			all = append(all, s.Keyword+" "+lowered(s))
		}
	}
	return strings.Join(all, "; ")
}

// rank counts the lines above that do not look at a dimension and set otherwise what this one
// sets.
func (m *model) rank(at int, d dimension, dns bool) (count int) {
	for _, above := range m.blocks[:at] {
		if !above.speaksOf(d, dns) && above.differs(m.blocks[at]) {
			count++
		}
	}
	return count
}

// differs reports whether two lines set something in different ways.
func (b *Block) differs(other *Block) bool {
	for _, s := range b.settings {
		for _, o := range other.settings {
			if s.Keyword == o.Keyword && lowered(s) != lowered(o) && slices.Contains(decisive, s.Keyword) {
				return true
			}
		}
	}
	return false
}
