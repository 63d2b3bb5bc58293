package stack

import "latchkey/enroll/doctor/stack/control"

// Uncredited returns the line by which pam_setcred(3) fails, and a login with it, where the process
// that calls it has not authenticated; nil if it succeeds. sshd is such a process when it has asked
// for a code. libpam does not know there what each module returned to pam_authenticate(3), so jumps
// follow what they return to pam_setcred: most of them success, for any user.
func (s *Service) Uncredited() *Line {
	ignoring := set(`
		pam_access pam_canonicalize_user pam_echo pam_exec pam_faildelay pam_ftp pam_issue
		pam_nologin pam_sepermit pam_succeed_if pam_usertype pam_warn
	`)
	var p position
	var last *Line
	for !p.ended(s.Auth) {
		l, code := s.Auth[p.next], control.Success
		switch {
		case l.substack:
		case l.absent && !l.Ours():
			code = control.ModuleUnknown
		case l.Name() == "pam_deny.so":
			code = control.CredErr
		case ignoring[l.Name()]:
			code = control.Ignored
		}
		before := p.now.impression
		if p = s.Auth.step(p, code); p.now.impression == negative && before != negative {
			last = l
		}
	}
	if p.passes() {
		return nil
	}
	return last
}
