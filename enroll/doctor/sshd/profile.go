package sshd

import (
	"fmt"
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/config"
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
		if d.spokenOf(block, dns) && v.bits[i/64]&(1<<(i%64)) != 0 {
			fmt.Fprintf(&b, "\n%d %s: %s", m.rank(i, d, dns), d.otherConditions(block, dns),
				sets(block))
		}
	}
	v.profile = b.String()
	return v.profile
}

// spokenOf reports whether a line, or one around it, looks at a dimension.
func (d dimension) spokenOf(b *config.Block, dns bool) bool {
	for ; b != nil; b = b.Outer {
		if slices.ContainsFunc(b.Criteria, func(c config.Criterion) bool {
			return d.isOf(c, dns)
		}) {
			return true
		}
	}
	return false
}

// otherConditions are a line's conditions that look at other dimensions.
func (d dimension) otherConditions(b *config.Block, dns bool) string {
	var all []string
	for ; b != nil; b = b.Outer {
		for _, c := range b.Criteria {
			if !d.isOf(c, dns) {
				all = append(all, c.Attribute+" "+c.Patterns)
			}
		}
	}
	return strings.Join(all, " ")
}

// sets is what a line sets that is decisive.
func sets(b *config.Block) string {
	var all []string
	for _, s := range b.Settings {
		if slices.Contains(decisive, s.Keyword) {
			all = append(all, s.Keyword+" "+s.Value())
		}
	}
	return strings.Join(all, "; ")
}

// rank counts the lines above that do not look at a dimension and set otherwise what this one
// sets.
func (m *model) rank(at int, d dimension, dns bool) (count int) {
	for _, above := range m.blocks[:at] {
		if !d.spokenOf(above, dns) && differ(above, m.blocks[at]) {
			count++
		}
	}
	return count
}

// differ reports whether two lines set something in different ways.
func differ(b, other *config.Block) bool {
	for _, s := range b.Settings {
		for _, o := range other.Settings {
			if s.Keyword == o.Keyword && s.Value() != o.Value() &&
				slices.Contains(decisive, s.Keyword) {
				return true
			}
		}
	}
	return false
}
