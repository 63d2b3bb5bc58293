# fish completion for enroll(8)

set -l commands add codes status remove test list reset unlock invite bypass explain import doctor
set -l none "not __fish_seen_subcommand_from $commands"

complete -c enroll -f
complete -c enroll -n $none -a add -d 'One more device'
complete -c enroll -n $none -a codes -d 'New recovery codes'
complete -c enroll -n $none -a status -d 'Devices, last use, lock'
complete -c enroll -n $none -a remove -d 'Remove a device'
complete -c enroll -n $none -a test -d 'Try a code'
complete -c enroll -n $none -a list -d 'Who has what (root)'
complete -c enroll -n $none -a reset -d 'Remove everything a user has (root)'
complete -c enroll -n $none -a unlock -d 'End a lock (root)'
complete -c enroll -n $none -a invite -d 'A ticket for a first enrollment (root)'
complete -c enroll -n $none -a bypass -d 'A code in place of a device (root)'
complete -c enroll -n $none -a explain -d 'Which rule decides a login (root)'
complete -c enroll -n $none -a import -d 'Take users over from another module (root)'
complete -c enroll -n $none -a doctor -d 'Would a login work, could one slip past (root)'

complete -c enroll -n '__fish_seen_subcommand_from add; and not __fish_seen_subcommand_from totp hotp phone' -a 'totp hotp phone'
complete -c enroll -n '__fish_seen_subcommand_from reset unlock invite bypass explain' -a '(__fish_complete_users)'

complete -c enroll -n 'not __fish_seen_subcommand_from list doctor' -l user -x -a '(__fish_complete_users)' -d 'Work for this user (root)'
complete -c enroll -n "$none; or __fish_seen_subcommand_from add" -l label -x -d 'Name of the device'
complete -c enroll -n "$none; or __fish_seen_subcommand_from totp hotp" -l algorithm -x -a 'SHA1 SHA256 SHA512' -d 'Hash'
complete -c enroll -n "$none; or __fish_seen_subcommand_from totp hotp" -l digits -x -a '6 8' -d 'Digits of a code'
complete -c enroll -n "$none; or __fish_seen_subcommand_from totp" -l period -x -d 'Time step in seconds'
complete -c enroll -n '__fish_seen_subcommand_from hotp' -l counter -x -d 'First counter'
complete -c enroll -n '__fish_seen_subcommand_from totp hotp' -l secret-file -r -F -d 'File with the secret, or - (root)'
complete -c enroll -n '__fish_seen_subcommand_from phone' -l number -x -d 'Number with country code'
complete -c enroll -n '__fish_seen_subcommand_from add codes remove reset unlock invite bypass import' -l yes -d 'Ask nothing (root)'
complete -c enroll -n '__fish_seen_subcommand_from status list reset unlock invite bypass explain doctor import' -l json -d 'Print JSON'
complete -c enroll -n '__fish_seen_subcommand_from bypass' -l for -x -d 'How long it works'
complete -c enroll -n '__fish_seen_subcommand_from explain' -l from -x -d 'Address'
complete -c enroll -n '__fish_seen_subcommand_from explain doctor' -l service -x -d 'PAM service'
complete -c enroll -n '__fish_seen_subcommand_from import' -F
complete -c enroll -n '__fish_seen_subcommand_from import' -l format -x -a 'google oath csv' -d 'Of the files'
complete -c enroll -n '__fish_seen_subcommand_from import' -l replace -d 'Replace what users have'
complete -c enroll -s h -l help -d 'Show help'
