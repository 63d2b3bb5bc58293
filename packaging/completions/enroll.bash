# bash completion for enroll(8), enroll/usage tests it against the table of commands

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
		--user | --device | --label | --issuer | --secret-file | --counter | --number | --file | --attestation | --challenge | --algorithm | --digits | --period | --png | --for | --from | --service | --stack | --within | --format | --break-glass | --recipient | --recipients-file | --identity)
			[[ ${COMP_WORDS[i+1]-} == '=' ]] && ((i++))
			((i++)) ;;
		-*) ;;
		*) words+="${words:+ }$word" ;;
		esac
	done
	case $prev in
	--user) mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
	--device) return ;;
	--label) return ;;
	--issuer) return ;;
	--secret-file) _enroll_files "$cur"; return ;;
	--counter) return ;;
	--number) return ;;
	--file) _enroll_files "$cur"; return ;;
	--attestation) _enroll_files "$cur"; return ;;
	--challenge) _enroll_files "$cur"; return ;;
	--algorithm) mapfile -t COMPREPLY < <(compgen -W 'SHA1 SHA256 SHA512' -- "$cur"); return ;;
	--digits) mapfile -t COMPREPLY < <(compgen -W '6 8' -- "$cur"); return ;;
	--period) return ;;
	--png) _enroll_files "$cur"; return ;;
	--for) return ;;
	--from) return ;;
	--service) mapfile -t COMPREPLY < <(compgen -W "$(cd /etc/pam.d 2>/dev/null && echo *)" -- "$cur"); return ;;
	--stack) mapfile -t COMPREPLY < <(compgen -W 'password+code key+code key-or-password+code' -- "$cur"); return ;;
	--within) return ;;
	--break-glass) mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
	--format) mapfile -t COMPREPLY < <(compgen -W 'google oath csv' -- "$cur"); return ;;
	--recipient) return ;;
	--recipients-file) _enroll_files "$cur"; return ;;
	--identity) _enroll_files "$cur"; return ;;
	esac
	if [[ $cur == -* ]]; then
		case $words in
		'add') word='--user --label --issuer --secret-file --algorithm --digits --period --ascii --plain --png --if-missing --yes --json --counter --number --file --attestation --challenge --help' ;;
		'') word='--user --label --issuer --algorithm --digits --period --ascii --plain --png --version --help' ;;
		'status' | 'status '*) word='--user --json --help' ;;
		'add totp' | 'add totp '*) word='--user --label --issuer --secret-file --algorithm --digits --period --ascii --plain --png --if-missing --yes --json --help' ;;
		'add hotp' | 'add hotp '*) word='--user --label --issuer --secret-file --counter --algorithm --digits --if-missing --yes --json --help' ;;
		'add phone' | 'add phone '*) word='--user --label --number --if-missing --yes --json --help' ;;
		'add key' | 'add key '*) word='--user --label --file --attestation --challenge --if-missing --yes --json --help' ;;
		'remove' | 'remove '*) word='--user --yes --help' ;;
		'rename' | 'rename '*) word='--user --label --yes --json --help' ;;
		'replace' | 'replace '*) word='--user --device --label --issuer --secret-file --algorithm --digits --period --ascii --plain --png --yes --json --help' ;;
		'codes' | 'codes '*) word='--user --yes --help' ;;
		'trust') word='--user --json --yes --help' ;;
		'trust revoke' | 'trust revoke '*) word='--user --yes --json --help' ;;
		'test' | 'test '*) word='--user --help' ;;
		'list') word='--missing --orphans --metrics --json --help' ;;
		'reset' | 'reset '*) word='--user --delete-anyway --yes --json --help' ;;
		'unlock' | 'unlock '*) word='--user --yes --json --help' ;;
		'invite' | 'invite '*) word='--user --yes --json --help' ;;
		'bypass' | 'bypass '*) word='--user --for --yes --json --help' ;;
		'import' | 'import '*) word='--user --format --replace --yes --json --help' ;;
		'rekey') word='--json --help' ;;
		'backup' | 'backup '*) word='--recipient --recipients-file --json --help' ;;
		'restore' | 'restore '*) word='--user --replace --identity --match-names --keep-recovery-codes --json --help' ;;
		'explain' | 'explain '*) word='--user --from --service --last --json --help' ;;
		'fleet') word='--break-glass --yes --json --user --help' ;;
		'fleet join' | 'fleet join '*) word='--break-glass --yes --json --help' ;;
		'fleet status') word='--json --help' ;;
		'fleet break-glass' | 'fleet break-glass '*) word='--user --yes --json --help' ;;
		'fleet import') word='--user --yes --json --help' ;;
		'fleet export' | 'fleet export '*) word='--yes --json --help' ;;
		'fleet leave') word='--yes --json --help' ;;
		'doctor') word='--service --json --help' ;;
		'activate') word='--service --stack --within --confirm --status --dry-run --yes --json --help' ;;
		'deactivate') word='--due --detach --yes --help' ;;
		'removable') word='--but-profile --help' ;;
		*) word='--help' ;;
		esac
	else
		case $words in
		'') word='status add remove rename replace codes trust test list reset unlock invite bypass import backup restore rekey explain fleet doctor activate deactivate removable' ;;
		'fleet') word='join status break-glass import export leave' ;;
		'add') word='totp hotp phone key' ;;
		'trust') word='revoke' ;;
		'trust revoke') return ;;
		'remove' | 'rename') return ;;
		'status' | 'add totp' | 'add hotp' | 'add phone' | 'add key' | 'remove '* | 'rename '* | 'replace' | 'codes' | 'trust revoke '* | 'test')
			mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
		'reset') mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
		'unlock') mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
		'invite') mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
		'bypass') mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
		'import' | 'import '*) _enroll_files "$cur"; return ;;
		'fleet break-glass' | 'fleet export' | 'fleet export '*) mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
		'backup') _enroll_files "$cur"; return ;;
		'restore') _enroll_files "$cur"; return ;;
		'explain') mapfile -t COMPREPLY < <(compgen -u -- "$cur"); return ;;
		*) return ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$word" -- "$cur")
}

complete -F _enroll enroll
