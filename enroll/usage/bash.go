package usage

import (
	"fmt"
	"strings"
)

// Bash is the completion for bash.
func Bash() string {
	return fmt.Sprintf(`# bash completion for enroll(8), made by enroll/usage

_enroll_files() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$1")
}

_enroll() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words='' word i
	COMPREPLY=()
	# Where bash splits words at "=", --user=al is three of them.
	if [[ $cur == '=' ]]; then
		cur=''
	elif [[ $prev == '=' ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		%s)
			[[ ${COMP_WORDS[i+1]-} == '=' ]] && ((i++))
			((i++)) ;;
		-*) ;;
		*) words+="${words:+ }$word" ;;
		esac
	done
	case $prev in
%s	esac
	if [[ $cur == -* ]]; then
		case $words in
%s		*) word='--help' ;;
		esac
	else
		case $words in
%s		*) return ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$word" -- "$cur")
}

complete -F _enroll enroll
`, strings.Join(valued(), " | "), bashValues(), bashOptions(), bashWords())
}

// valued are the options that take a value.
func valued() (names []string) {
	for _, o := range Options {
		if o.Value != "" {
			names = append(names, "--"+o.Name)
		}
	}
	return names
}

// bashKind completes a word of that kind.
func bashKind(k Kind) string {
	switch k {
	case User:
		return `mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return`
	case File:
		return `_enroll_files "$cur"; return`
	case Service:
		return `mapfile -t COMPREPLY < <(compgen -W "$(cd /etc/pam.d 2>/dev/null && echo *)" -- "$cur"); return`
	}
	return "return"
}

func bashValues() string {
	var b strings.Builder
	for _, o := range Options {
		switch {
		case o.Words != nil:
			fmt.Fprintf(&b, "\t--%s) mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\"); return ;;\n", o.Name, strings.Join(o.Words, " "))
		case o.Value != "":
			fmt.Fprintf(&b, "\t--%s) %s ;;\n", o.Name, bashKind(o.Kind))
		}
	}
	return b.String()
}

func bashOptions() string {
	var b strings.Builder
	for _, group := range Groups()[1:] {
		fmt.Fprintf(&b, "\t\t'%s') word='--%s --help' ;;\n", group, strings.Join(groupOptions(group), " --"))
	}
	for _, c := range Commands {
		pattern := "'" + c.Name + "'"
		if c.Operand != "" {
			pattern += " | '" + c.Name + " '*"
		}
		fmt.Fprintf(&b, "\t\t%s) word='--%s --help' ;;\n", pattern, strings.Join(c.Options, " --"))
	}
	return b.String()
}

// bashWords completes commands and operands.
func bashWords() string {
	var b strings.Builder
	for _, before := range Groups() {
		fmt.Fprintf(&b, "\t\t'%s') word='%s' ;;\n", before, strings.Join(Words(before), " "))
	}
	for _, c := range Commands {
		switch {
		case strings.HasSuffix(c.Operand, "..."):
			fmt.Fprintf(&b, "\t\t'%s' | '%s '*) %s ;;\n", c.Name, c.Name, bashKind(c.Kind))
		case c.Operand != "":
			fmt.Fprintf(&b, "\t\t'%s') %s ;;\n", c.Name, bashKind(c.Kind))
		}
	}
	return b.String()
}
