// Package control has what PAM modules return, and what a line of a service does about it: the
// control field of pam.d(5).
package control

import "slices"

// Code is what a PAM module returns: the values of Linux-PAM's _pam_types.h.
type Code int

// The codes that are spoken of here by name.
const (
	Success         Code = 0
	SystemErr       Code = 4
	PermDenied      Code = 6
	AuthErr         Code = 7
	AuthInfoUnavail Code = 9
	UserUnknown     Code = 10
	MaxTries        Code = 11
	NewAuthtokReqd  Code = 12
	CredErr         Code = 17
	ConvErr         Code = 19
	Ignored         Code = 25
	ModuleUnknown   Code = 28 // what libpam takes a module for that cannot be loaded
	incomplete      Code = 31 // nothing that runs in sshd, su or login returns it
)

// names are the codes as a control field has them, in the order of their values (pam.d(5)).
var names = []string{
	"success", "open_err", "symbol_err", "service_err", "system_err", "buf_err", "perm_denied",
	"auth_err",
	"cred_insufficient", "authinfo_unavail", "user_unknown", "maxtries", "new_authtok_reqd",
	"acct_expired", "session_err",
	"cred_unavail", "cred_expired", "cred_err", "no_module_data", "conv_err", "authtok_err",
	"authtok_recover_err",
	"authtok_lock_busy", "authtok_disable_aging", "try_again", "ignore", "abort",
	"authtok_expired", "module_unknown",
	"bad_item", "conv_again", "incomplete",
}

func (c Code) String() string { return names[c] }

// CodeOf is the code with that name; ok is false if there is none.
func CodeOf(name string) (c Code, ok bool) {
	at := slices.Index(names, name)
	return Code(at), at >= 0
}

// Anything is all that a module may return, what explains most first.
func Anything() []Code {
	all := []Code{Success, AuthErr, Ignored}
	for c := range incomplete {
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}
