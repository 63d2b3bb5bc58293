package stack

import (
	"path"
	"slices"
	"strings"
)

// securityKey is the module that asks for a touch of a security key at this machine.
const securityKey = "pam_u2f.so"

// SecurityKey reports whether the module is pam_u2f, which may stand in for a code.
func (l *Line) SecurityKey() bool { return !l.substack && l.Name() == securityKey }

// KeyFile is the file that says which security keys are whose, if the line names one by its path;
// empty: each user keeps a file of their own, to which every program of theirs can add a key.
func (l *Line) KeyFile() string {
	for _, arg := range l.Args {
		file, ok := strings.CutPrefix(arg, "authfile=")
		if ok && path.IsAbs(file) && !strings.ContainsAny(file, "%$~") {
			return file
		}
	}
	return ""
}

// lax are arguments with which pam_u2f succeeds, or in old versions succeeded (CVE-2025-23013),
// though no key was touched.
var lax = []string{"alwaysok", "nouserok", "userpresence=0"}

// Lax is the first argument of pam_u2f that lets in without a touch; empty: there is none.
func (l *Line) Lax() string {
	for _, arg := range l.Args {
		if slices.Contains(lax, arg) {
			return arg
		}
	}
	return ""
}

// asGood reports whether the line's success is as good as a code: a security key was touched that
// root has listed.
func (l *Line) asGood() bool { return l.SecurityKey() && l.KeyFile() != "" && l.Lax() == "" }

// AsksAboutKey reports whether the line asks whether sshd has accepted a key (if_publickey).
func (l *Line) AsksAboutKey() bool { return !l.substack && l.role() == question }
