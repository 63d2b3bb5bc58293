package main

import (
	"fmt"
	"os"

	"latchkey/enroll/activate/daemon"
	"latchkey/enroll/activate/lockedout"
	"latchkey/enroll/activate/plan"
	"latchkey/enroll/activate/preview"
	"latchkey/enroll/doctor"
	"latchkey/enroll/doctor/sshd/ask"
	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/enroll/explain"
	"latchkey/enroll/hint"
	"latchkey/enroll/missing"
	"latchkey/enroll/options"
	"latchkey/enroll/plural"
	"latchkey/pam/record"
)

// sshdService is the PAM service of the usual sshd.
func (p *program) sshdService() (string, error) {
	if _, err := os.Lstat(preview.Program); err != nil {
		return "", hint.Error("sshd is not installed", "activate is about logins by SSH; for others "+
			"see /usr/share/doc/latchkey/examples")
	}
	daemon.Prepare()
	a, err := ask.Program{Command: preview.Present}.Ask("lport=1")
	if err != nil {
		return "", hint.Error(err.Error(), "sshd -t says what is wrong with its configuration as "+
			"it is now")
	}
	if name := a.Options.First("pamservicename"); name != "" {
		return pamd.ServiceName(name), nil
	}
	return "sshd", nil
}

// examine looks at the machine as it will be. It refuses what doctor would call an error, and
// what would let no one in.
func (p *program) examine(planned plan.Plan, w plan.Wish) error {
	files := map[string]string{}
	for _, c := range planned.Changes {
		files[c.Path] = c.After
	}
	view, err := preview.Make(preview.Folder, p.root, files)
	if err != nil {
		return fmt.Errorf("lay out a preview: %w", err)
	}
	defer view.Remove()
	if err := p.examined(view); err != nil {
		return err
	}
	return p.survey(view, w)
}

// examined runs doctor on a preview.
func (p *program) examined(view preview.Preview) error {
	d := p.examination("sshd")
	d.Root, d.Preview, d.SSHD = view.Root, true, view.SSHD
	var bad []doctor.Finding
	for _, f := range d.Run() {
		f.Check, f.Detail, f.Hint = view.Plain(f.Check), view.Plain(f.Detail), view.Plain(f.Hint)
		switch f.Status {
		case doctor.Error:
			bad = append(bad, f)
		case doctor.Warning:
			if err := writeFindings(p.Out, []doctor.Finding{f}); err != nil {
				return err
			}
		}
	}
	if len(bad) == 0 {
		return nil
	}
	if err := writeFindings(p.Out, bad); err != nil {
		return err
	}
	return hint.Error("with these changes enroll doctor would find "+plural.Of(len(bad), "error")+
		"; nothing was changed", "the lines above say what to do first")
}

// survey warns of users who would not get in.
func (p *program) survey(view preview.Preview, w plan.Wish) error {
	all, err := p.absent(nil)
	if err != nil {
		fmt.Fprintf(p.Out, "warning: it is not known who would not get in: %v\n", err)
		return nil
	}
	base, err := ask.Program{Command: view.SSHD}.Ask("lport=1")
	if err != nil {
		return err
	}
	login, err := p.afterFirstStep(w)
	if err != nil {
		return err
	}
	defer login.Remove()
	s := lockedout.Survey{Stack: w.Stack, SSHD: base.Options, Home: p.homeOf,
		Explain: func(u missing.User) (explain.Explanation, error) {
			of := options.Options{Service: w.SSHD, From: lockedout.From}
			l, err := p.toExplain(record.User{Name: u.Name, UID: u.UID}, of)
			if err != nil {
				return explain.Explanation{}, err
			}
			l.Root = login.Root
			return l.Explain()
		}}
	out, in := s.Look(all)
	p.warn(out, len(all)-lockedout.Most)
	if in == 0 {
		return hint.Error("no one would get in; nothing was changed",
			"enroll --user NAME sets up a second factor for a user")
	}
	return nil
}

// afterFirstStep is a preview in which sshd's service asks for a password and a code: explain
// knows no user who has shown a key.
func (p *program) afterFirstStep(w plan.Wish) (preview.Preview, error) {
	return preview.Make(preview.Folder, p.root, map[string]string{"/etc/pam.d/" + w.SSHD: "auth " +
		"requisite pam_unix.so\nauth required pam_latchkey.so\naccount required pam_permit.so\n"})
}

// homeOf is a user's home folder; empty: it is not known.
func (p *program) homeOf(name string) string {
	who, err := lookUp(name)
	if err != nil {
		return ""
	}
	return who.home
}

// warn names the users who would not get in, and says how many were not looked at.
func (p *program) warn(out []lockedout.User, unseen int) {
	keys := false
	for _, l := range out {
		fmt.Fprintf(p.Out, "warning: %v\n", l)
		if l.Next != "" {
			fmt.Fprintf(p.Out, "hint: %s\n", l.Next)
		}
		keys = keys || l.Key && l.Next == "passwd "+l.Name
	}
	if keys {
		fmt.Fprintln(p.Out, "hint: with --stack key-or-password+code, users who have a key need no "+
			"password")
	}
	if unseen > 0 {
		fmt.Fprintf(p.Out, "warning: not looked at, because they are too many: %s\n",
			plural.Of(unseen, "user"))
	}
}
