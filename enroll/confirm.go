package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"latchkey/enroll/activate"
	"latchkey/enroll/activate/journal"
	"latchkey/enroll/activate/session"
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
	_, st, err := p.keyring.View(who.User)
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

// shown is an activation as --status shows it; its JSON is an interface.
type shown struct {
	State    journal.State `json:"state"`
	Stack    string        `json:"stack,omitempty"`
	Services []string      `json:"services"`
	Until    *time.Time    `json:"until,omitempty"` // when it is undone unless it is confirmed
	By       string        `json:"by,omitempty"`
	At       *time.Time    `json:"at,omitempty"`  // when it was confirmed or undone
	Why      string        `json:"why,omitempty"` // it was undone
	Files    []shownFile   `json:"files"`
}

// shownFile is a file of an activation.
type shownFile struct {
	Path  string `json:"path"`
	Holds string `json:"holds"` // activated, before, other, or what hinders reading it
}

var holding = map[journal.Holds]string{journal.After: "activated", journal.Before: "before",
	journal.Other: "other"}

// activation says what is in force and what is pending.
func (p *program) activation(o options.Options) error {
	j, err := p.activations().Load()
	if err != nil {
		return err
	}
	if o.JSON {
		return writeJSON(p.Out, p.show(j))
	}
	return p.told(j)
}

func (p *program) show(j *journal.Journal) shown {
	s := shown{State: j.State, Stack: j.Stack, Services: j.Services, By: j.By, Why: j.Why,
		Files: []shownFile{}}
	if s.Services == nil {
		s.Services = []string{}
	}
	if j.State == journal.Pending {
		until := time.Now().Add(j.Due(journal.Now())).UTC().Round(time.Second)
		s.Until = &until
	}
	if !j.At.IsZero() {
		at := j.At.UTC().Truncate(time.Second)
		s.At = &at
	}
	for _, f := range j.Files {
		holds, err := p.activations().Content(f)
		text := holding[holds]
		if err != nil {
			text = err.Error()
		}
		s.Files = append(s.Files, shownFile{f.Path, text})
	}
	return s
}

// told says what is in force, and what to do now.
func (p *program) told(j *journal.Journal) error {
	s := p.show(j)
	switch j.State {
	case journal.Inactive:
		fmt.Fprintln(p.Out, "enroll activate is not in force.")
		if j.Why != "" {
			fmt.Fprintf(p.Out, "Undone on %s: %s.\n", j.At.Format(time.DateTime), j.Why)
		}
		for _, path := range j.Left {
			fmt.Fprintf(p.Out, "%s was changed by others meanwhile, and is as they left it.\n", path)
		}
		return nil
	case journal.Active:
		fmt.Fprintf(p.Out, "In force: %s (%s), confirmed by %s on %s.\n", s.Stack,
			strings.Join(s.Services, ", "), s.By, j.At.Format(time.DateTime))
	case journal.Pending:
		writePending(p.Out, s)
	}
	for _, f := range s.Files {
		if f.Holds != holding[journal.After] {
			fmt.Fprintf(p.Out, "%s is no longer as enroll activate left it: %s\n", f.Path, f.Holds)
		}
	}
	return nil
}

func writePending(w io.Writer, s shown) {
	fmt.Fprintf(w, "sshd now asks for %s (%s). Open sessions go on.\n"+
		"This is undone at %s (in %v), unless you keep it: leave this session open,\n"+
		"log in once more in a second terminal, with a code, and type there (with sudo, if you are "+
		"not root):\n\n    enroll activate --confirm\n\n", s.Stack, strings.Join(s.Services, ", "),
		s.Until.Local().Format(time.TimeOnly), time.Until(*s.Until).Round(time.Second))
}
