package usage

import (
	"fmt"
	"strings"
)

// Zsh is the completion for zsh.
func Zsh() string {
	alone, _ := Find("")
	return fmt.Sprintf(`#compdef enroll
# zsh completion for enroll(8), made by enroll/usage

_enroll_services() { compadd -- /etc/pam.d/*(N:t) }

_enroll_commands() {
	local -a names
	names=(
%s	)
	_describe command names
}

# The words that are neither options nor their values.
local -a bare
local word value
for word in ${words[2,CURRENT-1]}; do
	if [[ -n $value ]]; then
		value=
		continue
	fi
	case $word in
	%s) value=1 ;;
	-*) ;;
	*) bare+=($word) ;;
	esac
done

case "$bare" in
%s*) _arguments%s '1:command:_enroll_commands' ;;
esac
`, zshNames(), strings.Join(valued(), "|"), zshCommands(), zshOptions(alone.Options))
}

// zshNames are the first words of commands, with what they mean.
func zshNames() string {
	var b strings.Builder
	for _, word := range Words("") {
		fmt.Fprintf(&b, "\t\t'%s:%s'\n", word, zshText(saysOf(word)))
	}
	return b.String()
}

// saysOf is what a first word means: the command, or the group of commands, that it begins.
func saysOf(word string) string {
	if c, ok := Find(word); ok {
		return c.Says
	}
	return word + " " + strings.Join(Words(word), ", ")
}

// zshCommands are the cases of the words typed so far. Those of a command's name are operands of no kind for _arguments.
func zshCommands() string {
	var b strings.Builder
	for _, c := range Commands {
		if c.Name == "" {
			continue
		}
		named := len(strings.Fields(c.Name))
		fmt.Fprintf(&b, "'%s' | '%s '*) _arguments%s", c.Name, c.Name, zshOptions(c.Options))
		for n := range named {
			fmt.Fprintf(&b, " '%d: :'", n+1)
		}
		switch {
		case strings.HasSuffix(c.Operand, "..."):
			fmt.Fprintf(&b, " '*:%s:%s'", strings.ToLower(strings.TrimSuffix(c.Operand, "...")), zshKind(c.Kind))
		case c.Operand != "":
			fmt.Fprintf(&b, " '%d:%s:%s'", named+1, strings.ToLower(c.Operand), zshKind(c.Kind))
		}
		b.WriteString(" ;;\n")
	}
	for _, group := range Groups()[1:] {
		fmt.Fprintf(&b, "'%s') _arguments%s '1: :' '2:what:(%s)' ;;\n", group, zshOptions(groupOptions(group)), strings.Join(Words(group), " "))
	}
	return b.String()
}

// zshOptions are the specifications of options for _arguments.
func zshOptions(names []string) string {
	var b strings.Builder
	for _, o := range append(Command{Options: names}.options(), Help) {
		fmt.Fprintf(&b, " '--%s[%s]", o.Name, zshText(o.Says))
		switch {
		case o.Words != nil:
			fmt.Fprintf(&b, ":%s:(%s)", strings.ToLower(o.Value), strings.Join(o.Words, " "))
		case o.Value != "":
			fmt.Fprintf(&b, ":%s:%s", strings.ToLower(o.Value), zshKind(o.Kind))
		}
		b.WriteByte('\'')
	}
	return b.String()
}

func zshKind(k Kind) string {
	return map[Kind]string{User: "_users", File: "_files", Service: "_enroll_services"}[k]
}

// zshText is text inside single quotes and brackets.
func zshText(text string) string {
	return strings.NewReplacer("'", `'\''`, "[", `\[`, "]", `\]`, ":", `\:`).Replace(text)
}
