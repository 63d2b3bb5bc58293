package stack

import (
	"slices"
	"strings"
)

// Module is the file name of latchkey's own module.
const Module = "pam_latchkey.so"

// role is what a module is good for.
type role int

const (
	unknown  role = iota
	factor        // pam_latchkey: the code
	question      // pam_latchkey if_publickey: success only if sshd has accepted a key
	password      // success only if the password, or what stands in for it, was right
	neutral       // checks nothing that a user knows
)

// passwords are modules that succeed only for the right password (or ticket, or card).
var passwords = set("pam_unix", "pam_sss", "pam_ldap", "pam_krb5", "pam_winbind", "pam_userdb", "pam_pwdfile", "pam_mysql", "pam_pgsql",
	"pam_radius_auth", "pam_tacplus", "pam_systemd_home", "pam_pkcs11", "pam_p11", "pam_fprintd", "pam_tcb", "pam_himmelblau", "pam_authd")

// neutrals are modules that need no password to succeed.
var neutrals = set("pam_access", "pam_cap", "pam_debug", "pam_deny", "pam_echo", "pam_ecryptfs", "pam_env", "pam_exec", "pam_faildelay",
	"pam_faillock", "pam_filter", "pam_fscrypt", "pam_ftp", "pam_gdm", "pam_gnome_keyring", "pam_group", "pam_issue", "pam_keyinit",
	"pam_kwallet", "pam_kwallet5", "pam_lastlog", "pam_limits", "pam_listfile", "pam_localuser", "pam_loginuid", "pam_mail",
	"pam_mkhomedir", "pam_motd", "pam_mount", "pam_namespace", "pam_nologin", "pam_permit", "pam_rhosts", "pam_rootok", "pam_securetty",
	"pam_selinux", "pam_sepermit", "pam_setquota", "pam_shells", "pam_stress", "pam_succeed_if", "pam_systemd", "pam_tally2", "pam_time",
	"pam_timestamp", "pam_tty_audit", "pam_umask", "pam_usertype", "pam_warn", "pam_wheel", "pam_xauth")

func set(names ...string) map[string]bool {
	all := map[string]bool{}
	for _, name := range names {
		all[name+".so"] = true
	}
	return all
}

func (l *Line) role() role {
	switch name := l.Name(); {
	case name == Module && slices.Contains(l.Args, "if_publickey"):
		return question
	case name == Module:
		return factor
	case passwords[name]:
		return password
	case neutrals[name]:
		return neutral
	}
	return unknown
}

// own is what pam_latchkey can return (pam_latchkey(8), RETURN VALUES), and libpam in its place.
var own = []Code{Success, AuthErr, MaxTries, PermDenied, ConvErr, UserUnknown, AuthInfoUnavail, SystemErr, ModuleUnknown}

// codes is what the module of a line can return, what explains most first. Of most modules that is anything; only what checks
// passwords (which of the modules do is an assumption of the walk) does not leave that to others unless told so.
func (s *Service) codes(l *Line, checks bool) []Code {
	switch r := l.role(); {
	case r == factor || r == question:
		return own
	case l.Name() == "pam_deny.so" || s.rootAlready(l):
		return []Code{AuthErr, ModuleUnknown}
	case l.Name() == "pam_permit.so":
		return []Code{Success, ModuleUnknown}
	case checks && !mayIgnore(l):
		return slices.DeleteFunc(anything(), func(c Code) bool { return c == Ignored })
	}
	return anything()
}

// rootAlready: in programs that run with their caller's real uid pam_rootok lets nobody in but root, who could do what he likes
// anyway. (In sshd and login it would let in everybody.)
func (s *Service) rootAlready(l *Line) bool {
	return l.Name() == "pam_rootok.so" && slices.Contains([]string{"su", "su-l", "runuser", "runuser-l", "chsh", "chfn"}, s.Name)
}

// RootAlready are the lines by which root needs no code, where only who is root already passes them.
func (s *Service) RootAlready() []*Line {
	return slices.DeleteFunc(slices.Clone([]*Line(s.Auth)), func(l *Line) bool { return l.substack || !s.rootAlready(l) })
}

// mayIgnore: modules that check passwords leave a user to others only if told so (ignore_root, ignore_unknown_user).
func mayIgnore(l *Line) bool {
	return slices.ContainsFunc(l.Args, func(arg string) bool { return strings.HasPrefix(arg, "ignore") })
}

func anything() []Code {
	all := []Code{Success, AuthErr, Ignored}
	for c := range incomplete {
		if !slices.Contains(all, c) {
			all = append(all, c)
		}
	}
	return all
}
