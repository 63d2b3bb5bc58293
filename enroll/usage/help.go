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
			b.WriteString("\nfor root, who may also say --user NAME with the commands above:\n\n")
		}
		row(&b, strings.TrimRight("enroll "+strings.TrimSpace(c.Name+" "+c.Operand), " "), c.Says)
	}
	alone, _ := Find("")
	b.WriteString("\noptions of enroll alone (enroll COMMAND --help: of a command; all: enroll(8)):\n\n")
	alone.rows(&b)
	return b.String()
}

// Text is what enroll COMMAND --help prints.
func (c Command) Text() string {
	if c.Name == "" {
		return Overview()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "usage: %s\n\n", strings.Join(strings.Fields("enroll "+c.Name+" "+c.Operand+" [OPTION...]"), " "))
	fmt.Fprintf(&b, "%s\n\n", c.Says)
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
