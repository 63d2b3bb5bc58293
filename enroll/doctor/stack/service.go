// Package stack reads PAM's service files and tells by simulation what the auth stack of a service
// lets through.
//
// It reads what Linux-PAM with Debian's @include reads (pam.d(5); libpam/pam_handlers.c), but
// strictly: a mistake that libpam turns into a module that fails is an error here, with file and
// line. The simulation is libpam's own walk through a stack (libpam/pam_dispatch.c); tests compare
// it with the real one.
package stack

import (
	"fmt"
	"path"

	"latchkey/enroll/doctor/stack/control"
	"latchkey/enroll/doctor/stack/pamd"
)

// Line is one module of a stack.
type Line struct {
	File   string // as libpam names it, without any root
	Number int
	Type   pamd.Type
	Module string // as written
	Args   []string

	control  control.Control
	copied   bool // the module is a copy of pam_latchkey, or a link to it, under another name
	absent   bool // the module is not on this machine
	level    int  // of substacks
	substack bool // no module: what follows with a higher level is one
}

// Place is where the line stands: file:line.
func (l *Line) Place() string { return fmt.Sprintf("%s:%d", l.File, l.Number) }

// Name is the module without its folder.
func (l *Line) Name() string { return path.Base(l.Module) }

// Service is what libpam makes of a service's files.
type Service struct {
	Name                             string
	Auth, Account, Session, Password Stack
	Files                            []string // all that were read, the service's own first

	// modules that are not on this machine fail; else what they would do counts, should they come
	asInstalled bool
}

// Stack is a list of modules in the order in which they run.
type Stack []*Line

// whole reports whether the service has something for each type.
func (s *Service) whole() bool {
	for kind := range pamd.Types {
		if len(*s.stack(kind)) == 0 {
			return false
		}
	}
	return true
}

// stack is the service's stack of a type.
func (s *Service) stack(kind pamd.Type) *Stack {
	switch kind {
	case pamd.Account:
		return &s.Account
	case pamd.Session:
		return &s.Session
	case pamd.Password:
		return &s.Password
	}
	return &s.Auth
}

func (s *Service) take(lines []*Line) {
	for _, l := range lines {
		its := s.stack(l.Type)
		*its = append(*its, l)
	}
}
