package usage

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// manual is the man page.
func manual(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../packaging/man/enroll.8.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// section is what stands below a heading.
func section(t *testing.T, page, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, "\n"+heading+"\n\n")
	if !found {
		t.Fatalf("no %s", heading)
	}
	text, _, _ := strings.Cut(rest, "\n# ")
	text, _, _ = strings.Cut(text, "\n## ")
	return text
}

// synopsis is the SYNOPSIS of the man page, in Markdown.
func synopsis() string {
	var b strings.Builder
	for _, c := range Commands {
		fmt.Fprintf(&b, "%s\n\n", c.synopsis())
	}
	b.WriteString("**enroll** [*command*] **--help**\n")
	return b.String()
}

// width of the lines of the synopsis.
const width = 99

func (c Command) synopsis() string {
	line := strings.TrimSpace("**enroll " + c.Name)
	line += "**"
	if c.Operand != "" {
		line += " *" + strings.TrimSuffix(c.Operand, "...") + "*" +
			c.Operand[len(strings.TrimSuffix(c.Operand, "...")):]
	}
	text := ""
	for _, o := range c.options() {
		word := "[**--" + o.Name + "**"
		if o.Value != "" {
			word += " *" + o.Value + "*"
		}
		if word += "]"; len(line)+1+len(word) > width {
			text, line = text+line+"\n", word
		} else {
			line += " " + word
		}
	}
	return text + line
}

func TestTheSynopsisOfTheManPageIsTheTable(t *testing.T) {
	if got, want := strings.TrimSpace(section(t, manual(t), "# SYNOPSIS")),
		strings.TrimSpace(synopsis()); got != want {
		t.Errorf("the page says:\n%s\n\nwant:\n%s", got, want)
	}
}

// entries are the words that a definition list explains: commands or options.
func entries(text string) (names []string) {
	for _, m := range regexp.MustCompile(`(?m)^((?:, )?\*\*.*)\n: `).FindAllStringSubmatch(text,
		-1) {
		for _, name := range regexp.MustCompile(`\*\*([^*]+)\*\*`).FindAllStringSubmatch(m[1],
			-1) {
			names = append(names, name[1])
		}
	}
	return names
}

func TestTheManPageExplainsEveryCommandAndOptionAndNoOther(t *testing.T) {
	page := manual(t)
	var commands, options []string
	for _, c := range Commands {
		commands = append(commands, c.Name)
	}
	commands[slices.Index(commands, "")] = "enroll"
	for _, o := range append(slices.Clone(Options), Help) {
		options = append(options, "--"+o.Name)
	}
	options = append(options, "-h", "-V")
	for heading, want := range map[string][]string{"## Commands": commands, "# OPTIONS": options} {
		got := entries(section(t, page, heading))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: explained are %q, want %q", heading, got, want)
		}
	}
}

func TestHelpFitsIntoEightyColumns(t *testing.T) {
	texts := []string{Overview()}
	for _, c := range Commands {
		texts = append(texts, c.Text())
	}
	for _, group := range groups()[1:] {
		texts = append(texts, Group(group))
	}
	for _, text := range texts {
		for _, line := range strings.Split(text, "\n") {
			if len(line) > 80 {
				t.Errorf("%d columns: %s", len(line), line)
			}
		}
	}
}

func TestEveryOptionOfACommandExistsAndIsOfUse(t *testing.T) {
	used := map[string]bool{}
	for _, c := range Commands {
		if len(c.options()) != len(c.Options) {
			t.Errorf("enroll %s: an option of %q does not exist", c.Name, c.Options)
		}
		for _, o := range c.Options {
			used[o] = true
		}
	}
	for _, o := range Options {
		if !used[o.Name] {
			t.Errorf("no command takes --%s", o.Name)
		}
	}
}
