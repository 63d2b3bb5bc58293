package ways

import "strings"

// Options are what is in force for a connection, by keyword in lower case, as sshd -T prints it.
// A keyword that is repeated has all its values.
type Options map[string][]string

// First is the first value of a keyword; "" if it has none.
func (o Options) First(keyword string) string {
	if len(o[keyword]) == 0 {
		return ""
	}
	return o[keyword][0]
}

// On reports whether a keyword is switched on.
func (o Options) On(keyword string) bool { return o.First(keyword) == "yes" }

// Fields are all words of a keyword's values.
func (o Options) Fields(keyword string) []string {
	return strings.Fields(strings.Join(o[keyword], " "))
}

// Parse reads what sshd -T prints.
func Parse(text string) Options {
	o := Options{}
	for line := range strings.Lines(text) {
		keyword, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		o[keyword] = append(o[keyword], value)
	}
	return o
}
