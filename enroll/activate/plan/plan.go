// Package plan says which files have to change, and how, so that logins ask for codes.
//
// It only reads. For each PAM service it tries one edit after the other, the smallest first, and
// has package stack walk through what that would make of the service: an edit is taken only if no
// one passes without a code and none is asked for before the password.
package plan

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/enroll/hint"
)

// Stack is what a login by SSH takes.
type Stack string

// The stacks, named as the recipes in packaging/examples are.
const (
	PasswordAndCode      Stack = "password+code"
	KeyAndCode           Stack = "key+code"
	KeyOrPasswordAndCode Stack = "key-or-password+code"
)

// Stacks are all of them, the default first.
var Stacks = []Stack{PasswordAndCode, KeyAndCode, KeyOrPasswordAndCode}

// Wish is what logins are to take.
type Wish struct {
	Stack Stack
	SSHD  string   // the PAM service of sshd
	More  []string // other services that ask for the password and a code: sudo, su, login
}

// Change is a file before and after.
type Change struct {
	Path    string
	Existed bool
	Before  string
	After   string
}

// Plan is what has to change; no change: everything is as it was wished.
type Plan struct {
	Changes []Change
	// Services are the PAM services that ask for codes then, sshd's first.
	Services []string
}

// pairs are services that lead to the same place as another, by a file of their own.
var pairs = map[string]string{"sudo": "sudo-i", "su": "su-l", "login": "remote"}

// Services are the services that may be asked for beside sshd's.
var Services = []string{"sudo", "su", "login"}

// planner works on the files below a root.
type planner struct {
	root string
	wish Wish
	over map[string]string // what was planned, by path
	plan Plan
}

// Make plans for the files below root, which is empty but in tests.
func Make(root string, w Wish) (Plan, error) {
	if w.SSHD == pamd.Fallback {
		return Plan{}, hint.Error("sshd has PAMServiceName "+w.SSHD+", and PAM goes through a "+
			"service of that name twice: a code would be asked for twice, and no one would get in",
			pamd.RenameFallback)
	}
	p := &planner{root: root, wish: w, over: map[string]string{}}
	if err := p.service(w.SSHD, w.Stack); err != nil {
		return Plan{}, err
	}
	for _, name := range w.More {
		if !slices.Contains(Services, name) {
			return Plan{}, hint.Misuse("--service takes sudo, su and login, not %q", name)
		}
		if err := p.withPair(name); err != nil {
			return Plan{}, err
		}
	}
	if err := p.sshd(w.Stack); err != nil {
		return Plan{}, err
	}
	return p.plan, nil
}

// withPair plans for a service, and for the one that comes with it where there is such a file.
func (p *planner) withPair(name string) error {
	if err := p.service(name, PasswordAndCode); err != nil {
		return err
	}
	_, _, err := p.find(pairs[name])
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return p.service(pairs[name], PasswordAndCode)
}

// change notes a change, unless there is none.
func (p *planner) change(c Change) {
	p.over[c.Path] = c.After
	if !c.Existed || c.Before != c.After {
		p.plan.Changes = append(p.plan.Changes, c)
	}
}

// byHand is the hint where no edit would do.
const byHand = "edit it by hand; /usr/share/doc/latchkey/examples has complete files, and " +
	"enroll doctor says whether they are right"

func refuse(path string, format string, args ...any) error {
	return hint.Error(path+": "+fmt.Sprintf(format, args...), byHand)
}
