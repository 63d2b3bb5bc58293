package usage

import (
	"fmt"
	"strings"
)

// Fish is the completion for fish.
func Fish() string {
	var b strings.Builder
	b.WriteString("# fish completion for enroll(8), made by enroll/usage\n\ncomplete -c enroll -f\n")
	fmt.Fprintf(&b, "set -l none 'not __fish_seen_subcommand_from %s'\n\n", strings.Join(Words(""), " "))
	for _, word := range Words("") {
		fmt.Fprintf(&b, "complete -c enroll -n $none -a %s -d %s\n", word, fishText(saysOf(word)))
	}
	for _, group := range Groups()[1:] {
		what := strings.Join(Words(group), " ")
		fmt.Fprintf(&b, "complete -c enroll -n '__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from %s' -a '%s'\n", group, what, what)
	}
	b.WriteByte('\n')
	for _, group := range Groups()[1:] {
		for _, o := range (Command{Options: groupOptions(group)}).options() {
			condition := "'__fish_seen_subcommand_from " + group + "; and not __fish_seen_subcommand_from " + strings.Join(Words(group), " ") + "'"
			fmt.Fprintf(&b, "complete -c enroll -n %s -l %s%s -d %s\n", condition, o.Name, fishValue(o), fishText(o.Says))
		}
	}
	for _, c := range Commands {
		if complete := fishKind(c.Kind); c.Operand != "" && complete != "" {
			fmt.Fprintf(&b, "complete -c enroll -n %s %s\n", fishSeen(c), complete)
		}
		for _, o := range c.options() {
			fmt.Fprintf(&b, "complete -c enroll -n %s -l %s%s -d %s\n", fishSeen(c), o.Name, fishValue(o), fishText(o.Says))
		}
	}
	b.WriteString("complete -c enroll -l help -d " + fishText(Help.Says) + "\n")
	return b.String()
}

// fishSeen is the condition that the command was typed.
func fishSeen(c Command) string {
	if c.Name == "" {
		return "$none"
	}
	return "'__fish_seen_subcommand_from " + strings.ReplaceAll(c.Name, " ", "; and __fish_seen_subcommand_from ") + "'"
}

func fishValue(o Option) string {
	switch complete := fishKind(o.Kind); {
	case o.Value == "":
		return ""
	case o.Words != nil:
		return " -x -a '" + strings.Join(o.Words, " ") + "'"
	case complete != "":
		return " -r " + complete
	}
	return " -x"
}

// fishKind completes a word of that kind.
func fishKind(k Kind) string {
	return map[Kind]string{
		User: "-f -a '(__fish_complete_users)'", File: "-F",
		Service: "-f -a '(path basename /etc/pam.d/*)'",
	}[k]
}

func fishText(text string) string { return "'" + strings.ReplaceAll(text, "'", `\'`) + "'" }
