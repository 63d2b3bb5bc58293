# bash completion for enroll(8)

_enroll() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words='' command='' word i
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
		--user | --label | --number | --counter | --secret-file | --algorithm | --digits | --period | --for | --from | --service | --format)
			[[ ${COMP_WORDS[i+1]-} == '=' ]] && ((i++))
			((i++)) ;;
		-*) ;;
		*) words+=" $word"; [[ -n $command ]] || command=$word ;;
		esac
	done
	case $prev in
	--user) COMPREPLY=($(compgen -u -- "$cur")); return ;;
	--algorithm) COMPREPLY=($(compgen -W 'SHA1 SHA256 SHA512' -- "$cur")); return ;;
	--digits) COMPREPLY=($(compgen -W '6 8' -- "$cur")); return ;;
	--format) COMPREPLY=($(compgen -W 'google oath csv' -- "$cur")); return ;;
	--secret-file) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	--label | --number | --counter | --period | --for | --from) return ;;
	--service) COMPREPLY=($(compgen -W "$(cd /etc/pam.d 2>/dev/null && echo *)" -- "$cur")); return ;;
	esac
	case "$cur:$command" in
	-*:) word='--user --label --algorithm --digits --period --help' ;;
	-*:add)
		case $words in
		*phone) word='--user --label --number --yes' ;;
		*hotp) word='--user --label --secret-file --counter --algorithm --digits --yes' ;;
		*) word='--user --label --secret-file --algorithm --digits --period --yes' ;;
		esac ;;
	-*:codes | -*:remove) word='--user --yes' ;;
	-*:reset | -*:unlock | -*:invite) word='--user --yes --json' ;;
	-*:bypass) word='--user --for --yes --json' ;;
	-*:doctor) word='--service --json' ;;
	-*:explain) word='--user --from --service --json' ;;
	-*:import) word='--format --replace --user --json --yes' ;;
	-*:status) word='--user --json' ;;
	-*:test) word='--user' ;;
	-*:list) word='--json' ;;
	-*) word='--help' ;;
	*:) word='add codes status remove test list reset unlock invite bypass explain import doctor' ;;
	*:add) [[ $words == ' add' ]] && word='totp hotp phone' || return ;;
	*:import) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur"); return ;;
	*:reset | *:unlock | *:invite | *:bypass | *:explain)
		[[ $words == " $command" ]] && COMPREPLY=($(compgen -u -- "$cur"))
		return ;;
	*) return ;;
	esac
	COMPREPLY=($(compgen -W "$word" -- "$cur"))
}

complete -F _enroll enroll
