package usage

import (
	"fmt"
	"strings"
)

// Overview is what enroll --help prints.
func Overview() string {
	var b strings.Builder
	b.WriteString("usage: enroll [COMMAND] [OPTION...]\n\n")
	root := false
	for _, c := range Commands {
		if c.Root && !root {
			root = true
			b.WriteString("\nfor root, who may also write a user's NAME behind the commands " +
				"above:\n\n")
		}
		row(&b, strings.TrimRight("enroll "+strings.TrimSpace(c.Name+" "+c.Operand), " "), c.Says)
	}
	alone, _ := Find("")
	b.WriteString("\noptions of enroll alone (enroll COMMAND --help: of a command; all: " +
		"enroll(8)):\n\n")
	alone.rows(&b)
	return b.String()
}

// Group is what enroll --help prints behind the first word of commands that have two.
func Group(first string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "usage: enroll %s %s [OPTION...]\n\n", first, strings.Join(Words(first), "|"))
	all := Command{}
	for _, c := range Commands {
		if strings.HasPrefix(c.Name, first+" ") {
			row(&b, "enroll "+c.Name, c.Says)
			all.Options = append(all.Options, c.Options...)
		}
	}
	fmt.Fprintf(&b, "\noptions (enroll %s %s --help: of that alone):\n\n", first, Words(first)[0])
	all.rows(&b)
	return b.String()
}

// Version is this program's; the Makefile sets it.
var Version = "(not a release)"

// Text is what enroll COMMAND --help prints.
func (c Command) Text() string {
	if c.Name == "" {
		return Overview()
	}
	var b strings.Builder
	name := ""
	if c.TakesName() {
		name = "[NAME]"
	}
	words := strings.Fields(strings.Join([]string{"enroll", c.Name, c.Operand, name,
		"[OPTION...]"}, " "))
	fmt.Fprintf(&b, "usage: %s\n\n", strings.Join(words, " "))
	fmt.Fprintf(&b, "%s\n\n", c.Says)
	for _, second := range Words(c.Name) {
		more, _ := Find(c.Name + " " + second)
		row(&b, "enroll "+more.Name+" "+more.Operand, more.Says)
		b.WriteByte('\n')
	}
	c.rows(&b)
	return b.String()
}

func (c Command) rows(b *strings.Builder) {
	for _, o := range append(c.options(), Help) {
		row(b, strings.TrimSpace("--"+o.Name+" "+o.Value), o.says())
	}
}

// says is what the option does, with the values it may have.
func (o Option) says() string {
	if o.Words == nil {
		return o.Says
	}
	return o.Says + ": " + strings.Join(o.Words, ", ")
}

func row(b *strings.Builder, what, says string) { fmt.Fprintf(b, "  %-24s %s\n", what, says) }
