package usage

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// completion is the file that completes enroll's command line in a shell.
func completion(t *testing.T, shell string) string {
	t.Helper()
	text, err := os.ReadFile("../../packaging/completions/enroll." + shell)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// offers are the words that a file offers behind the words that were typed.
type offers map[string][]string

func (o offers) add(typed string, words ...string) { o[typed] = append(o[typed], words...) }

// table is what every file should offer.
func table() offers {
	o := offers{}
	for _, group := range groups() {
		o.add(group, Words(group)...)
		if group != "" {
			o.add(group, dashed(groupOptions(group))...)
		}
	}
	for _, c := range Commands {
		o.add(c.Name, dashed(c.Options)...)
	}
	return o
}

func dashed(options []string) []string {
	return strings.Fields("--" + strings.Join(append(options, "help"), " --"))
}

// groups are the beginnings of commands' names that Words knows more of; the first is empty.
func groups() []string {
	all := []string{""}
	for _, c := range Commands {
		if group, _, two := strings.Cut(c.Name, " "); two && !slices.Contains(all, group) {
			all = append(all, group)
		}
	}
	return all
}

// groupOptions are the options of all commands of a group.
func groupOptions(group string) (options []string) {
	for _, c := range Commands {
		if strings.HasPrefix(c.Name, group+" ") {
			options = append(options, c.Options...)
		}
	}
	return options
}

var bashCase = regexp.MustCompile(`(?m)^\t\t'([a-z -]*)'(?: \| '[a-z -]+ '\*)?\) word='(.*)' ;;$`)

func bashOffers(text string) offers {
	o := offers{}
	for _, m := range bashCase.FindAllStringSubmatch(text, -1) {
		o.add(m[1], strings.Fields(m[2])...)
	}
	return o
}

var (
	zshCase   = regexp.MustCompile(`(?m)^(?:'([a-z -]+)'.*|\*)\)\n\t_arguments((?:.|\n)*?);;$`)
	zshOption = regexp.MustCompile(`'(--[a-z-]+)\[`)
	zshWords  = regexp.MustCompile(`'2:what:\((.*)\)'`)
	zshName   = regexp.MustCompile(`(?m)^\t\t'([a-z]+):`)
)

func zshOffers(text string) offers {
	o := offers{}
	for _, m := range zshName.FindAllStringSubmatch(text, -1) {
		o.add("", m[1])
	}
	for _, m := range zshCase.FindAllStringSubmatch(text, -1) {
		for _, option := range zshOption.FindAllStringSubmatch(m[2], -1) {
			o.add(m[1], option[1])
		}
		for _, words := range zshWords.FindAllStringSubmatch(m[2], -1) {
			o.add(m[1], strings.Fields(words[1])...)
		}
	}
	return o
}

var (
	fishLine = regexp.MustCompile(
		`(?m)^complete -c enroll -n (?:\$(none|adding|trusting|fleeting)|` +
			`'__fish_seen_subcommand_from (.*?)') -(a|l) ('.*?'|\S+)`)
	fishGroup = map[string]string{"none": "", "adding": "add", "trusting": "trust",
		"fleeting": "fleet"}
)

// fishOffers adds --help itself: fish has one line for all commands.
func fishOffers(text string) offers {
	o := offers{}
	for _, m := range fishLine.FindAllStringSubmatch(text, -1) {
		typed := fishGroup[m[1]] + strings.ReplaceAll(m[2], "; and __fish_seen_subcommand_from",
			"")
		if m[3] == "l" {
			o.add(typed, "--"+m[4])
		} else {
			o.add(typed, strings.Fields(strings.Trim(m[4], "'"))...)
		}
	}
	for typed := range o {
		if strings.Contains(text, "\ncomplete -c enroll -l help ") {
			o.add(typed, "--help")
		}
	}
	return o
}

func TestTheCompletionsOfferEveryCommandAndOptionAndNoOther(t *testing.T) {
	for shell, read := range map[string]func(string) offers{
		"bash": bashOffers, "zsh": zshOffers, "fish": fishOffers,
	} {
		got, want := read(completion(t, shell)), table()
		for typed := range want {
			got.add(typed)
		}
		for typed := range got {
			g, w := unique(got[typed]), unique(want[typed])
			if !slices.Equal(g, w) {
				t.Errorf("%s: behind \"enroll %s\" it offers\n%q, want\n%q", shell, typed, g, w)
			}
		}
	}
}

func unique(words []string) []string {
	words = slices.Clone(words)
	slices.Sort(words)
	return slices.Compact(words)
}

// descriptions are how a shell writes an option and what it does.
var descriptions = map[string]func(o Option) *regexp.Regexp{
	"zsh": func(o Option) *regexp.Regexp {
		says := strings.NewReplacer("'", `'\''`).Replace(o.Says)
		return regexp.MustCompile(regexp.QuoteMeta("'--"+o.Name+"["+says+"]"+zshValue(o)) + `['_]`)
	},
	"fish": func(o Option) *regexp.Regexp {
		says := regexp.QuoteMeta("-d '" + strings.ReplaceAll(o.Says, "'", `\'`) + "'")
		return regexp.MustCompile(`(?m)-l ` + o.Name + fishValue(o) + ` ` + says + `$`)
	},
}

func zshValue(o Option) string {
	switch {
	case o.Words != nil:
		return ":" + strings.ToLower(o.Value) + ":(" + strings.Join(o.Words, " ") + ")"
	case o.Value != "":
		return ":" + strings.ToLower(o.Value) + ":"
	}
	return ""
}

func fishValue(o Option) string {
	switch {
	case o.Words != nil:
		return ` -x -a '` + regexp.QuoteMeta(strings.Join(o.Words, " ")) + `'`
	case o.Value != "":
		return ` -[xr].*?`
	}
	return ""
}

func TestTheCompletionsDescribeEveryOptionAndItsValueAsTheTableDoes(t *testing.T) {
	for shell, describe := range descriptions {
		text := completion(t, shell)
		for _, o := range append(slices.Clone(Options), Help) {
			all := regexp.MustCompile(`(?:-l |'--)`+o.Name+`[ \[]`).FindAllString(text, -1)
			if got := describe(o).FindAllString(text, -1); len(got) != len(all) || len(all) == 0 {
				t.Errorf("%s: %d of %d times --%s is described as in the table, want all",
					shell, len(got), len(all), o.Name)
			}
		}
	}
}

// A value that is taken for a command would have the shell offer what belongs to another command.
func TestTheCompletionsKnowWhichOptionsTakeAValue(t *testing.T) {
	var want []string
	for _, o := range Options {
		if o.Value != "" {
			want = append(want, "--"+o.Name)
		}
	}
	for shell, pattern := range map[string]string{"bash": `(?m)^\t\t(--.*)\)$`,
		"zsh": `\t(--.*)\) value=1`} {
		m := regexp.MustCompile(pattern).FindStringSubmatch(completion(t, shell))
		if m == nil {
			t.Fatalf("%s: no list of options that take a value", shell)
		}
		got := strings.FieldsFunc(m[1], func(r rune) bool { return r == ' ' || r == '|' })
		if !slices.Equal(got, want) {
			t.Errorf("%s: %q take a value, want %q", shell, got, want)
		}
	}
}

func TestBashCompletesTheValuesThatATableLists(t *testing.T) {
	text := completion(t, "bash")
	for _, o := range Options {
		if o.Words != nil && !strings.Contains(text, "\t--"+o.Name+") mapfile -t COMPREPLY < "+
			"<(compgen -W '"+
			strings.Join(o.Words, " ")+"' -- ") {
			t.Errorf("it does not offer %q after --%s", o.Words, o.Name)
		}
	}
}
