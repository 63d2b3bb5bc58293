package main

import (
	"errors"
	"fmt"
	"os"

	"latchkey/enroll/activate"
	"latchkey/enroll/activate/journal"
	"latchkey/enroll/activate/session"
	"latchkey/enroll/activate/summary"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/setuid"
	"latchkey/pam/audit"
)

// confirm keeps an activation, from a new login that took a code.
func (p *program) confirm() error {
	j, err := p.machine().Confirm(p.thisLogin)
	switch {
	case errors.Is(err, activate.ErrNothing):
		return hint.Error("nothing is to be confirmed", "enroll activate --status says what is in "+
			"force")
	case errors.Is(err, session.ErrNone):
		return hint.Error(err.Error(), "log in by SSH in a second terminal, with a code, and type it "+
			"there, not in screen or tmux")
	case err != nil:
		return err
	}
	p.logged(audit.Change{What: "confirm", User: j.By, Detail: j.Stack})
	return p.told(j)
}

// thisLogin is the login by SSH that this command is typed in.
func (p *program) thisLogin() (activate.Login, error) {
	s, err := session.Find("/proc", os.Getpid())
	if err != nil {
		return activate.Login{}, err
	}
	who, err := lookUpID(s.UID)
	if err != nil {
		return activate.Login{}, err
	}
	l := activate.Login{Session: s, User: who.Name, Now: journal.Now()}
	_, st, err := p.store().View(who.User)
	if err != nil {
		return l, fmt.Errorf("it is not known whether %s was let in with a code: %w", who.Name, err)
	}
	l.Accepted = st.Accepted
	for _, n := range st.Networks {
		if n.Seen.After(l.Came) {
			l.Came = n.Seen
		}
	}
	return l, nil
}

// caller is the user who typed the command.
func (p *program) caller() string {
	if name := setuid.Invoker(); name != "" {
		return name
	}
	if who, err := lookUpID(p.uid); err == nil {
		return who.Name
	}
	return ""
}

// activation says what is in force and what is pending.
func (p *program) activation(o options.Options) error {
	j, err := p.activations().Load()
	if err != nil {
		return err
	}
	if o.JSON {
		return writeJSON(p.Out, summary.Of(j, p.activations(), journal.Now()))
	}
	if err := p.unrecorded(j); err != nil {
		return err
	}
	return p.told(j)
}

// told says what is in force, and what to do now.
func (p *program) told(j *journal.Journal) error {
	return summary.Of(j, p.activations(), journal.Now()).Write(p.Out)
}
