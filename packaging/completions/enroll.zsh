#compdef enroll
# zsh completion for enroll(8), enroll/usage tests it against the table of commands

_enroll_services() { compadd -- /etc/pam.d/*(N:t) }

_enroll_commands() {
	local -a names
	names=(
		'status:devices, last use, recovery codes left'
		'add:add totp, hotp, phone, key'
		'remove:one device less'
		'rename:another label for a device'
		'replace:new phone: new app and codes, the old app goes'
		'codes:new recovery codes; the old ones stop working'
		'trust:computers that need no code for a while'
		'test:try a code; says which device it is from'
		'list:who has what'
		'reset:remove everything; the user must enroll again'
		'unlock:end a lock'
		'invite:a ticket for a first enrollment, good for a day'
		'bypass:a code that works once in place of a device'\''s'
		'import:take users over from another module or CSV'
		'rekey:a new host key; trusted computers end'
		'backup:users and policy in one encrypted file'
		'restore:what enroll backup wrote; revives no used code'
		'explain:which rule decides a login, what is asked, and why'
		'fleet:fleet join, status, break-glass, import, export, leave'
		'doctor:would a login work, could one slip past?'
		'activate:logins by SSH ask for codes; undone unless confirmed'
		'deactivate:undo what activate has changed'
		'removable:would removing the package lock people out?'
	)
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
	--user|--device|--label|--issuer|--secret-file|--counter|--number|--file|--attestation|--challenge|--algorithm|--digits|--period|--png|--for|--from|--service|--stack|--within|--format|--break-glass|--recipient|--recipients-file|--identity) value=1 ;;
	-*) ;;
	*) bare+=($word) ;;
	esac
done

case "$bare" in
'status' | 'status '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2:name:_users'
	;;
'add totp' | 'add totp '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--label[what the device is called]:label:' \
		'--issuer[what the app shows above the code]:text:' \
		'--secret-file[the file with the secret, or - (root, with --yes)]:file:_files' \
		'--algorithm[of the codes]:alg:(SHA1 SHA256 SHA512)' \
		'--digits[of the codes]:n:(6 8)' \
		'--period[how long a code is shown]:seconds:' \
		'--ascii[draw the QR code in ASCII]' \
		'--plain[draw nothing, for screen readers]' \
		'--png[write the QR code to a new file]:file:_files' \
		'--if-missing[do nothing if there is one (with --yes)]' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2: :' '3:name:_users'
	;;
'add hotp' | 'add hotp '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--label[what the device is called]:label:' \
		'--issuer[what the app shows above the code]:text:' \
		'--secret-file[the file with the secret, or - (root, with --yes)]:file:_files' \
		'--counter[where the token'\''s counter is]:n:' \
		'--algorithm[of the codes]:alg:(SHA1 SHA256 SHA512)' \
		'--digits[of the codes]:n:(6 8)' \
		'--if-missing[do nothing if there is one (with --yes)]' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2: :' '3:name:_users'
	;;
'add phone' | 'add phone '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--label[what the device is called]:label:' \
		'--number[of the phone, with + and country code]:number:' \
		'--if-missing[do nothing if there is one (with --yes)]' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2: :' '3:name:_users'
	;;
'add key' | 'add key '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--label[what the device is called]:label:' \
		'--file[the file with the public key, or -]:file:_files' \
		'--attestation[what ssh-keygen -O write-attestation wrote]:file:_files' \
		'--challenge[what the key was made with, for --attestation]:file:_files' \
		'--if-missing[do nothing if there is one (with --yes)]' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2: :' '3:name:_users'
	;;
'remove' | 'remove '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--yes[ask nothing (root)]' \
		'--help[show this]' \
		'1: :' '2:device:' '3:name:_users'
	;;
'rename' | 'rename '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--label[what the device is called]:label:' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2:device:' '3:name:_users'
	;;
'replace' | 'replace '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--device[the device that is replaced]:device:' \
		'--label[what the device is called]:label:' \
		'--issuer[what the app shows above the code]:text:' \
		'--secret-file[the file with the secret, or - (root, with --yes)]:file:_files' \
		'--algorithm[of the codes]:alg:(SHA1 SHA256 SHA512)' \
		'--digits[of the codes]:n:(6 8)' \
		'--period[how long a code is shown]:seconds:' \
		'--ascii[draw the QR code in ASCII]' \
		'--plain[draw nothing, for screen readers]' \
		'--png[write the QR code to a new file]:file:_files' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2:name:_users'
	;;
'codes' | 'codes '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--yes[ask nothing (root)]' \
		'--help[show this]' \
		'1: :' '2:name:_users'
	;;
'trust')
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--json[print JSON]' \
		'--yes[ask nothing (root)]' \
		'--help[show this]' \
		'1: :' '2:what:(revoke)'
	;;
'trust revoke' | 'trust revoke '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2: :' '3:computer:'
	;;
'test' | 'test '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--help[show this]' \
		'1: :' '2:name:_users'
	;;
'list' | 'list '*)
	_arguments \
		'--missing[who could log in and has nothing]' \
		'--orphans[who has something and no account]' \
		'--metrics[numbers for a collector of metrics]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :'
	;;
'reset' | 'reset '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--delete-anyway[even if it is unknown whether the user is gone]' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2:name:_users'
	;;
'unlock' | 'unlock '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2:name:_users'
	;;
'invite' | 'invite '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2:name:_users'
	;;
'bypass' | 'bypass '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--for[how long the code works, such as 1h]:time:' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2:name:_users'
	;;
'import' | 'import '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--format[of the files]:format:(google oath csv)' \
		'--replace[replace what the users have]' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '*:file:_files'
	;;
'rekey' | 'rekey '*)
	_arguments \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :'
	;;
'backup' | 'backup '*)
	_arguments \
		'--recipient[for this recipient of age; no passphrase]:recipient:' \
		'--recipients-file[the same for each line of a file]:file:_files' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2:file:_files'
	;;
'restore' | 'restore '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--replace[replace what the users have]' \
		'--identity[the identity of age that opens it, not a passphrase]:file:_files' \
		'--match-names[also users whose uid is another one here]' \
		'--keep-recovery-codes[unused codes still work; some may be used since]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2:file:_files'
	;;
'explain' | 'explain '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--from[where the login comes from]:ip:' \
		'--service[the PAM service]:service:_enroll_services' \
		'--last[what the log says of the last logins]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2:name:_users'
	;;
'fleet')
	_arguments \
		'--break-glass[who may log in while no service can be reached]:name:_users' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--user[for this user (root)]:name:_users' \
		'--help[show this]' \
		'1: :' '2:what:(join status break-glass import export leave)'
	;;
'fleet join' | 'fleet join '*)
	_arguments \
		'--break-glass[who may log in while no service can be reached]:name:_users' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2: :' '3:ticket:'
	;;
'fleet status' | 'fleet status '*)
	_arguments \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2: :'
	;;
'fleet break-glass' | 'fleet break-glass '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2: :' '3:name:_users'
	;;
'fleet import' | 'fleet import '*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2: :'
	;;
'fleet export' | 'fleet export '*)
	_arguments \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2: :' '*:name:_users'
	;;
'fleet leave' | 'fleet leave '*)
	_arguments \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2: :'
	;;
'doctor' | 'doctor '*)
	_arguments \
		'--service[the PAM service]:service:_enroll_services' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :'
	;;
'activate' | 'activate '*)
	_arguments \
		'--service[the PAM service]:service:_enroll_services' \
		'--stack[login]:stack:(password+code key+code key-or-password+code)' \
		'--within[how long activate waits to be confirmed]:time:' \
		'--confirm[keep what activate has changed]' \
		'--status[what is in force, and what is to be confirmed]' \
		'--dry-run[show what would change, and change nothing]' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :'
	;;
'deactivate' | 'deactivate '*)
	_arguments \
		'--due[wait, and undo what no one confirms]' \
		'--detach[with --due: in the background]' \
		'--yes[ask nothing (root)]' \
		'--help[show this]' \
		'1: :'
	;;
'removable' | 'removable '*)
	_arguments \
		'--but-profile[leave out what pam-auth-update takes out]' \
		'--help[show this]' \
		'1: :'
	;;
'add')
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--label[what the device is called]:label:' \
		'--issuer[what the app shows above the code]:text:' \
		'--secret-file[the file with the secret, or - (root, with --yes)]:file:_files' \
		'--counter[where the token'\''s counter is]:n:' \
		'--number[of the phone, with + and country code]:number:' \
		'--file[the file with the public key, or -]:file:_files' \
		'--attestation[what ssh-keygen -O write-attestation wrote]:file:_files' \
		'--challenge[what the key was made with, for --attestation]:file:_files' \
		'--algorithm[of the codes]:alg:(SHA1 SHA256 SHA512)' \
		'--digits[of the codes]:n:(6 8)' \
		'--period[how long a code is shown]:seconds:' \
		'--ascii[draw the QR code in ASCII]' \
		'--plain[draw nothing, for screen readers]' \
		'--png[write the QR code to a new file]:file:_files' \
		'--if-missing[do nothing if there is one (with --yes)]' \
		'--yes[ask nothing (root)]' \
		'--json[print JSON]' \
		'--help[show this]' \
		'1: :' '2:what:(totp hotp phone key)'
	;;
*)
	_arguments \
		'--user[for this user (root)]:name:_users' \
		'--label[what the device is called]:label:' \
		'--issuer[what the app shows above the code]:text:' \
		'--algorithm[of the codes]:alg:(SHA1 SHA256 SHA512)' \
		'--digits[of the codes]:n:(6 8)' \
		'--period[how long a code is shown]:seconds:' \
		'--ascii[draw the QR code in ASCII]' \
		'--plain[draw nothing, for screen readers]' \
		'--png[write the QR code to a new file]:file:_files' \
		'--version[show the version]' \
		'--help[show this]' \
		'1:command:_enroll_commands'
	;;
esac
