package doctor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"latchkey/enroll/doctor/stack"
	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/pam/flow"
)

// checkLogins looks at sshd and at its PAM service, and at every other service that asks for
// codes; or, if it is not about sshd, at that one service alone.
func (d Doctor) checkLogins(service string) []Finding {
	if service != "sshd" {
		return d.checkService(service, false)
	}
	s := d.server()
	found := append(append(s.findings, d.checkNamesOfClients(s)...), d.checkEnrollService()...)
	found = append(found, d.checkKeys(s)...)
	found = append(found, d.checkGrace(s)...)
	for _, name := range s.services {
		found = append(found, d.checkService(name, s.keyFirst[name])...)
		found = append(found, d.checkFallback(name)...)
		found = append(found, d.checkSplitInSSHD(name)...)
		found = append(found, d.checkCredentials(name)...)
	}
	others, part, damaged := d.otherServices(append(s.services, "enroll"))
	for _, name := range others {
		found = append(found, d.checkService(name, part[name] && !isDoor(name))...)
	}
	found = append(found, damaged...)
	found = append(found, d.checkKeyRules(others)...)
	return append(found, d.checkDoors()...)
}

// checkService finds what is wrong with one service. keyed: users who come to it have shown a
// key, or given a password, before.
func (d Doctor) checkService(name string, keyed bool) []Finding {
	s, err := stack.Read(d.Root, name)
	if err != nil {
		return []Finding{fault("PAM service "+name, err,
			"PAM cannot read this file; logins may fail or skip the check")}
	}
	var found []Finding
	for _, w := range s.Weaknesses() {
		if w.Kind == stack.Early && w.Line == nil && keyed {
			continue
		}
		if w.Kind == stack.Absent && len(s.Splits()) > 0 {
			continue // told below
		}
		found = append(found, describe(name, w))
	}
	found = append(found, checkSplits(s, keyed)...)
	for _, l := range s.Missing() {
		found = append(found, fault(l.Place(), fmt.Errorf("%s is not installed: no one can log in",
			l.Module), "install it, or take the line out"))
	}
	if len(s.Account) > 0 && !s.Admits() && len(s.Missing()) == 0 {
		found = append(found, fault(s.Account[0].Place(),
			errors.New("no one can log in: no way through the account lines succeeds"),
			"look for jumps that go too far, and for pam_deny"))
	}
	if len(found) == 0 {
		found = append(found, okay("PAM service "+name+": no one passes without a code, and "+
			"none is asked for too early"))
	}
	for _, l := range s.RootAlready() {
		found = append(found, Finding{l.Place(), OK, "users who are already root need no " +
			"code for " +
			name, ""})
	}
	return append(found, d.checkLines(s)...)
}

// checkFallback: sshd may have the name of the service whose lines PAM adds to every other.
func (d Doctor) checkFallback(name string) []Finding {
	s, err := stack.Read(d.Root, name)
	if name != pamd.Fallback || err != nil || !s.Has() { // told before
		return nil
	}
	return []Finding{fault("PAM service "+name, errors.New("as the service of sshd "+
		"(PAMServiceName), PAM goes through it twice: a code is asked for again after it was used "+
		"up, and no one gets in"), pamd.RenameFallback)}
}

// checkCredentials: after a code, sshd sets credentials in a process that has not authenticated.
func (d Doctor) checkCredentials(name string) []Finding {
	s, err := stack.Read(d.Root, name)
	if err != nil || !s.Has() || len(s.Missing()) > 0 { // told before
		return nil
	}
	l := s.Uncredited()
	closed := func(w stack.Weakness) bool { return w.Kind == stack.Closed } // told, too
	if l == nil || slices.ContainsFunc(s.Weaknesses(), closed) {
		return nil
	}
	return []Finding{fault(l.Place(), fmt.Errorf("sshd ends each login after the code "+
		"(pam_setcred): there every module that a jump asks succeeds, and the jump leads to %s",
		l.Name()), "jump by pam_succeed_if, pam_access or pam_usertype, which pam_setcred ignores")}
}

// describe puts a weakness into words.
func describe(service string, w stack.Weakness) Finding {
	switch w.Kind {
	case stack.Absent:
		return fault("PAM service "+service,
			errors.New("it has no pam_latchkey in auth: no one is asked for a code"), below)
	case stack.Skipped:
		if w.Line.SecurityKey() {
			return skippedByKey(w)
		}
		return fault(w.Line.Place(),
			fmt.Errorf("%s that returns %s leaves out %s: a login succeeds without a code",
				w.Line.Name(), w.Code, w.Factor.Place()),
			"nothing above pam_latchkey may be sufficient, done or jump over it")
	case stack.Shrug:
		return fault(w.Line.Place(),
			fmt.Errorf("a login succeeds although pam_latchkey refuses it (%s)", w.Code),
			"write: auth required pam_latchkey.so")
	case stack.Closed:
		return fault(w.Line.Place(),
			errors.New("no one can log in: no path through the stack succeeds"),
			"look for jumps that go too far, and for pam_deny")
	case stack.Twice:
		return fault(w.Line.Place(),
			fmt.Errorf("a code is asked for again after the one at %s, which is used up: no one "+
				"gets in with one code", w.Factor.Place()),
			"keep one of the two lines; the one of the profile goes with: pam-auth-update "+
				"--disable latchkey")
	case stack.Unsure:
		return warning(w.Line.Place(),
			fmt.Sprintf("if %s does not check a password, %s asks for the code too early",
				w.Line.Name(), w.Factor.Place()), "")
	}
	return describeEarly(w)
}

func describeEarly(w stack.Weakness) Finding {
	if w.Line == nil {
		return fault(w.Factor.Place(),
			errors.New("the code is asked for, or sent, before any password or key was right"),
			"put it below the password; or, for sshd: AuthenticationMethods "+
				"publickey,keyboard-interactive")
	}
	return fault(w.Line.Place(),
		fmt.Errorf("%s goes on after a wrong password, and %s asks for the code, or sends one",
			w.Line.Name(), w.Factor.Place()),
		"let a wrong password end the stack: requisite in place of required or sufficient")
}

// checkLines looks at pam_latchkey's own lines: arguments, policies, and what they do beside
// auth.
func (d Doctor) checkLines(s *stack.Service) []Finding {
	var found []Finding
	for _, l := range s.Auth {
		switch {
		case l.Ours():
			found = append(found, d.checkArguments(l)...)
		case l.SecurityKey():
			found = append(found, d.checkKeyFile(l)...)
		}
	}
	found = append(found, checkAccountLines(s)...)
	for _, kind := range []pamd.Type{pamd.Session, pamd.Password} {
		found = append(found, checkUseless(s, kind)...)
	}
	return found
}

// checkAccountLines: in account pam_latchkey lets everyone pass, so it must not decide there.
func checkAccountLines(s *stack.Service) []Finding {
	var found []Finding
	lenient := s.Lenient()
	for _, l := range s.Account {
		switch {
		case slices.Contains(lenient, l):
			found = append(found, fault(l.Place(),
				errors.New("pam_latchkey in account lets everyone pass: with this line "+
					"expired and locked accounts get in"),
				"remove it; latchkey needs no account line"))
		case l.Ours():
			found = append(found, Finding{l.Place(), OK,
				"pam_latchkey in account lets everyone pass and does nothing", ""})
		}
	}
	return found
}

// fatal is what fails with a type that fails.
var fatal = map[pamd.Type]string{pamd.Session: "no session can be opened: no one gets in",
	pamd.Password: "no one can change their password"}

func checkUseless(s *stack.Service, kind pamd.Type) []Finding {
	var found []Finding
	lines, fails := s.Useless(kind)
	for _, l := range lines {
		text := fmt.Sprintf("pam_latchkey does not provide %s, so the line can only fail", kind)
		if fails {
			found = append(found, fault(l.Place(), errors.New(text+"; "+fatal[kind]),
				"take it out"))
		} else {
			found = append(found, warning(l.Place(), text, "take it out"))
		}
	}
	return found
}

// checkArguments refuses what a login refuses, and reads the policy that conf= names.
func (d Doctor) checkArguments(l *stack.Line) []Finding {
	found := exclusive(l)
	for _, arg := range l.Args {
		var a flow.Arguments
		switch err := a.Take(arg); {
		case err == nil && a.Conf != "":
			found = append(found, d.checkPolicy(a.Conf)...)
			found = append(found, d.checkConfined(a.Conf)...)
		case err != nil:
			found = append(found, fault(l.Place(),
				fmt.Errorf("pam_latchkey does not take %q: every login is denied", arg),
				"it takes conf=PATH (absolute), if_publickey, split and debug"))
		}
	}
	if filepath.IsAbs(l.Module) {
		found = append(found, d.checkFile(filepath.Clean(strings.ReplaceAll(l.Module, "$ISA",
			".")), 0))
	}
	return found
}

// checkEnrollService: enroll asks for the password by it, and not if the stack does not.
// pam_latchkey may stand there or not, since it asks enroll nothing (pam/flow) and lets it pass.
func (d Doctor) checkEnrollService() []Finding {
	const check = "PAM service enroll"
	s, err := stack.Read(d.Root, "enroll")
	if err != nil {
		return []Finding{fault(check, err, "enroll cannot ask users for their password")}
	}
	found := append(checkAccountLines(s), d.checkEnrollArguments(s)...)
	switch passable, asks := s.AsksPassword(); {
	case !passable:
		return append(found, Finding{check, OK, "it lets no one pass: only root can enroll users",
			""})
	case !asks:
		return append(found, fault(check,
			errors.New("it lets users pass without a password: anyone at an open session can "+
				"enroll a "+
				"device of their own there"),
			"write in /etc/pam.d/enroll: @include common-auth (or: auth include system-auth)"))
	}
	return found
}

// checkEnrollArguments: what the module refuses anywhere it refuses there too.
func (d Doctor) checkEnrollArguments(s *stack.Service) (found []Finding) {
	for _, l := range s.Auth {
		if l.Ours() {
			found = append(found, d.checkArguments(l)...)
		}
	}
	return found
}

// otherServices are those that ask for codes, beside those named. part has those that others
// take in, and that so may have no password of their own. What mentions pam_latchkey and cannot
// be read is a finding.
func (d Doctor) otherServices(but []string) (names []string, part map[string]bool,
	damaged []Finding) {
	part = map[string]bool{}
	for _, name := range serviceNames(d.Root) {
		s, err := stack.Read(d.Root, name)
		if err != nil {
			if !slices.Contains(but, name) && d.mentions(name) {
				damaged = append(damaged, fault("PAM service "+name, err,
					"PAM cannot read this file; logins may fail or skip the check"))
			}
			continue
		}
		for _, file := range s.Files[1:] {
			part[filepath.Base(file)] = true
		}
		if !slices.Contains(but, name) && (s.Has() || len(s.Splits()) > 0) {
			names = append(names, name)
		}
	}
	return names, part, damaged
}

// serviceNames are the files that PAM can take for services. A name with a dot may be a copy
// that was given the date: it is looked at unless what stands before the dot is a service.
func serviceNames(root string) []string {
	all := pamd.Services(root)
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool {
		before, _, dot := strings.Cut(name, ".")
		return dot && slices.Contains(all, before)
	})
}

func (d Doctor) mentions(service string) bool {
	for _, dir := range pamd.Dirs {
		path := d.Root + dir + "/" + service
		if st, err := os.Stat(path); err != nil || !st.Mode().IsRegular() {
			continue // a FIFO would never end
		}
		if text, err := os.ReadFile(path); err == nil && strings.Contains(string(text),
			"pam_latchkey") {
			return true
		}
	}
	return false
}
