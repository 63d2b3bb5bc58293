package suite

import (
	"fmt"
	"strings"
)

// Stack is the auth part of a PAM service; session is the same for all.
type Stack []string

// password asks for the password, denies at once if it is wrong, and does not wait two seconds
// then.
const password = "requisite pam_unix.so nodelay"

// The stacks that servers use. All but OnlyCode ask for the password first, as the shipped
// examples do.
var (
	Unix     = Stack{password}
	Latchkey = Stack{password, "required pam_latchkey.so"}
	OnlyCode = Stack{"required pam_latchkey.so"}
	// Google as its README recommends, with a prompt the harness tells from the password's; Oath
	// as its man page shows.
	Google     = Stack{password, "required pam_google_authenticator.so"}
	OnlyGoogle = Stack{"required pam_google_authenticator.so"}
	Oath       = Stack{password, "required pam_oath.so usersfile=/etc/users.oath window=3"}
	OnlyOath   = Stack{"required pam_oath.so usersfile=/etc/users.oath window=3"}
	Permit     = Stack{"required pam_permit.so"}
)

// file is the service file for /etc/pam.d; account lines come after pam_unix's.
func (s Stack) file(account ...string) string {
	var b strings.Builder
	for _, line := range s {
		fmt.Fprintln(&b, "auth", line)
	}
	for _, line := range append([]string{"required pam_unix.so"}, account...) {
		fmt.Fprintln(&b, "account", line)
	}
	b.WriteString("session required pam_permit.so\npassword required pam_deny.so\n")
	return b.String()
}
