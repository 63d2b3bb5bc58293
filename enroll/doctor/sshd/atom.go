package sshd

import (
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/config"
	"latchkey/enroll/doctor/sshd/pattern"
)

// atoms keeps one value of each kind: two values about which every line says the same are of one
// kind. says gives what all lines say of a value.
func atoms[T any](values []T, says func(T) string) []T {
	seen := map[string]bool{}
	var kept []T
	for _, v := range values {
		if s := says(v); !seen[s] {
			seen[s] = true
			kept = append(kept, v)
		}
	}
	return kept
}

// about are the criteria of the blocks that look at these attributes.
func (m *model) about(attributes ...string) []config.Criterion {
	var all []config.Criterion
	for _, b := range m.blocks {
		for _, c := range b.Criteria {
			if slices.Contains(attributes, c.Attribute) {
				all = append(all, c)
			}
		}
	}
	return all
}

// patterns are all patterns of criteria, exceptions too.
func patterns(criteria []config.Criterion) []string {
	var all []string
	for _, c := range criteria {
		plain, exceptions := pattern.Parts(c.Patterns)
		all = append(append(all, plain...), exceptions...)
	}
	return all
}

// admissions are the values of AllowUsers and its like, wherever they stand: the users' part,
// and the part behind "@".
func (m *model) admissions(keywords ...string) (users, from []string) {
	add := func(values []string) {
		for _, v := range values {
			user, host, at := cutLast(v, "@")
			users = append(users, user)
			if at {
				from = append(from, host)
			}
		}
	}
	for _, k := range keywords {
		add(m.base.Fields(k))
		for _, s := range m.config.Settings {
			if s.Under != nil && s.Keyword == k {
				add(s.Values)
			}
		}
	}
	return users, from
}

func cutLast(text, mark string) (before, after string, found bool) {
	if at := strings.LastIndex(text, mark); at >= 0 {
		return text[:at], text[at+len(mark):], true
	}
	return text, "", false
}

// flags is what a question comes to for each item, a character each.
func flags[T any](items []T, yes func(T) bool) string {
	text := make([]byte, len(items))
	for i, item := range items {
		text[i] = '0'
		if yes(item) {
			text[i] = '1'
		}
	}
	return string(text)
}
