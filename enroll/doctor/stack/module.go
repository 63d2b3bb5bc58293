package stack

import (
	"path"
	"slices"
	"strings"

	"latchkey/enroll/doctor/stack/control"
	"latchkey/enroll/doctor/stack/pamd"
)

// role is what a module is good for.
type role int

const (
	unknown  role = iota
	factor        // pam_latchkey: the code
	question      // pam_latchkey if_publickey: success only if sshd has accepted a key
	splitter      // pam_latchkey split: takes a code off, and has no opinion
	password      // success only if the password, or what stands in for it, was right
	neutral       // checks nothing that a user knows
)

// passwords are modules that succeed only for the right password, or what stands in for it: a
// ticket, a card, a finger, a key, a code.
var passwords = set(`
	pam_aad pam_authd pam_ccreds pam_centrifydc pam_cockpit_cert pam_duo pam_fle pam_fprintd
	pam_gdata pam_google_authenticator pam_himmelblau pam_imap pam_kanidm pam_krb5 pam_ldap
	pam_ldapd pam_lsass pam_lwidentity pam_mysql pam_oath pam_opie pam_oslogin_login pam_otpw
	pam_p11 pam_pgsql pam_pkcs11 pam_pwdfile pam_radius pam_radius_auth pam_securid
	pam_smbpass pam_ssh pam_ssh_agent_auth pam_sss pam_sss_gss pam_systemd_home pam_tacplus
	pam_tcb pam_u2f pam_unix pam_unix2 pam_userdb pam_vas3 pam_winbind pam_yubico
`)

// neutrals are modules that need no password to succeed.
var neutrals = set(`
	pam_abl pam_access pam_apparmor pam_canonicalize_user pam_cap pam_cgfs pam_cgroup
	pam_cracklib pam_debug pam_deny pam_echo pam_ecryptfs pam_elogind pam_env pam_exec
	pam_faildelay pam_faillock pam_filter pam_fscrypt pam_ftp pam_gdm pam_geoip
	pam_gnome_keyring pam_group pam_issue pam_keyinit pam_kwallet pam_kwallet5 pam_lastlog
	pam_lastlog2 pam_limits pam_listfile pam_localuser pam_loginuid pam_mail pam_mkhomedir
	pam_motd pam_mount pam_namespace pam_nologin pam_oddjob_mkhomedir pam_passwdqc pam_permit
	pam_pwhistory pam_pwquality pam_rhosts pam_rootok pam_securetty pam_selinux
	pam_selinux_permit pam_sepermit pam_setquota pam_shells pam_shield pam_slurm_adopt
	pam_ssh_add pam_stress pam_succeed_if pam_systemd pam_systemd_loadkey pam_tally pam_tally2
	pam_time pam_timestamp pam_tmpdir pam_tty_audit pam_umask pam_usertype pam_warn pam_wheel
	pam_xauth
`)

// set has the files of modules whose names are in a text.
func set(names string) map[string]bool {
	all := map[string]bool{}
	for _, name := range strings.Fields(names) {
		all[name+".so"] = true
	}
	return all
}

// ChecksPassword reports whether a module succeeds only for the right password, or what stands in
// for it.
func ChecksPassword(module string) bool { return passwords[path.Base(module)] }

// AsksForKey reports whether the line is pam_latchkey's that succeeds only if sshd has accepted a
// key.
func (l *Line) AsksForKey() bool { return l.role() == question }

// Ours reports whether the module is pam_latchkey.
func (l *Line) Ours() bool { return !l.substack && (l.Name() == pamd.Module || l.copied) }

func (l *Line) role() role {
	switch name := l.Name(); {
	case l.Ours() && slices.Contains(l.Args, "if_publickey"):
		return question
	case l.Ours() && slices.Contains(l.Args, "split"):
		return splitter
	case l.Ours():
		return factor
	case passwords[name]:
		return password
	case neutrals[name]:
		return neutral
	}
	return unknown
}

// own is what pam_latchkey can return (pam_latchkey(8), RETURN VALUES), and libpam in its place.
var own = []control.Code{control.Success, control.AuthErr, control.MaxTries, control.PermDenied,
	control.ConvErr, control.UserUnknown, control.AuthInfoUnavail,
	control.SystemErr, control.ModuleUnknown}

// codes is what the module of a line can return, what explains most first. Of most modules that is
// anything; only what checks passwords (which of the modules do is an assumption of the walk) does
// not leave that to others unless told so.
func (s *Service) codes(l *Line, checks bool) []control.Code {
	switch r := l.role(); {
	case l.absent && s.asInstalled:
		return []control.Code{control.ModuleUnknown}
	case r == factor || r == question:
		return own
	case r == splitter:
		return append([]control.Code{control.Ignored}, own[1:]...) // without success
	case l.Name() == "pam_deny.so" || s.rootAlready(l):
		return []control.Code{control.AuthErr, control.ModuleUnknown}
	case l.Name() == "pam_permit.so":
		return []control.Code{control.Success, control.ModuleUnknown}
	case checks && !mayIgnore(l):
		return slices.DeleteFunc(control.Anything(), func(c control.Code) bool {
			return c == control.Ignored
		})
	}
	return control.Anything()
}

// rootAlready: in programs that run with their caller's real uid pam_rootok lets no one in but
// root, who could do anything already. (In sshd and login it would let in everyone.)
func (s *Service) rootAlready(l *Line) bool {
	return l.Name() == "pam_rootok.so" && slices.Contains([]string{"su", "su-l", "runuser",
		"runuser-l", "chsh", "chfn", pamd.Enroll}, s.Name)
}

// RootAlready are the lines by which root needs no code, where only users who are already root
// pass them.
func (s *Service) RootAlready() []*Line {
	return slices.DeleteFunc(slices.Clone([]*Line(s.Auth)),
		func(l *Line) bool { return l.substack || !s.rootAlready(l) })
}

// mayIgnore: modules that check passwords leave a user to others only if told so (ignore_root,
// ignore_unknown_user).
func mayIgnore(l *Line) bool {
	return slices.ContainsFunc(l.Args, func(arg string) bool {
		return strings.HasPrefix(arg,
			"ignore")
	})
}
