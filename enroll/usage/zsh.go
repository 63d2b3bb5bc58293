package usage

import (
	"fmt"
	"strings"
)

// Zsh is the completion for zsh.
func Zsh() string {
	var b strings.Builder
	b.WriteString("#compdef enroll\n# zsh completion for enroll(8), made by enroll/usage\n\n" +
		"local curcontext=$curcontext state line\ntypeset -A opt_args\nlocal -a names\n\n")
	b.WriteString("_enroll_services() { compadd -- /etc/pam.d/*(N:t) }\n\n")
	b.WriteString("case \"$words[2] $words[3]\" in\n")
	for _, c := range Commands {
		if strings.Contains(c.Name, " ") {
			fmt.Fprintf(&b, "'%s'*) shift 2 words; (( CURRENT -= 2 )); _arguments%s; return ;;\n", c.Name, zshArguments(c))
		}
	}
	b.WriteString("esac\n")
	alone, _ := Find("")
	fmt.Fprintf(&b, "_arguments -C -A '-*'%s '1:command:->command' '*::argument:->argument' && return\n\n", zshArguments(alone))
	b.WriteString("case $state in\ncommand)\n\tnames=(\n")
	for _, word := range Words("") {
		fmt.Fprintf(&b, "\t\t'%s:%s'\n", word, zshText(saysOf(word)))
	}
	b.WriteString("\t)\n\t_describe command names ;;\nargument)\n\tcase $line[1] in\n")
	for _, group := range Groups()[1:] {
		fmt.Fprintf(&b, "\t%s) _arguments '1:what:(%s)' ;;\n", group, strings.Join(Words(group), " "))
	}
	for _, c := range Commands {
		if c.Name != "" && !strings.Contains(c.Name, " ") {
			fmt.Fprintf(&b, "\t%s) _arguments%s ;;\n", c.Name, zshArguments(c))
		}
	}
	b.WriteString("\tesac ;;\nesac\n")
	return b.String()
}

// saysOf is what a first word means: the command, or the group of commands, that it begins.
func saysOf(word string) string {
	if c, ok := Find(word); ok {
		return c.Says
	}
	return word + " " + strings.Join(Words(word), ", ")
}

// zshArguments are the specifications of a command's options and operand for _arguments.
func zshArguments(c Command) string {
	var b strings.Builder
	for _, o := range append(c.options(), Help) {
		fmt.Fprintf(&b, " '--%s[%s]", o.Name, zshText(o.Says))
		switch {
		case o.Words != nil:
			fmt.Fprintf(&b, ":%s:(%s)", strings.ToLower(o.Value), strings.Join(o.Words, " "))
		case o.Value != "":
			fmt.Fprintf(&b, ":%s:%s", strings.ToLower(o.Value), zshKind(o.Kind))
		}
		b.WriteByte('\'')
	}
	switch {
	case strings.HasSuffix(c.Operand, "..."):
		fmt.Fprintf(&b, " '*:%s:%s'", strings.ToLower(strings.TrimSuffix(c.Operand, "...")), zshKind(c.Kind))
	case c.Operand != "":
		fmt.Fprintf(&b, " '1:%s:%s'", strings.ToLower(c.Operand), zshKind(c.Kind))
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
