package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey/enroll/activate"
	"latchkey/enroll/activate/boot"
	"latchkey/enroll/activate/daemon"
	"latchkey/enroll/activate/journal"
	"latchkey/enroll/activate/plan"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/plural"
	"latchkey/pam/audit"
	"latchkey/pam/safefile"
)

// activate has logins by SSH ask for codes, until it is undone or confirmed.
func (p *program) activate(o options.Options) error {
	switch {
	case o.Confirm && o.Status:
		return hint.Misuse("--confirm and --status cannot be used together")
	case o.Status:
		return p.activation(o)
	case o.JSON:
		return hint.Misuse("--json is for --status")
	case o.Confirm:
		return p.confirm()
	}
	w, err := p.wished(o)
	if err != nil {
		return err
	}
	if done, err := p.activatedBefore(w); done || err != nil {
		return err
	}
	if w.SSHD, err = p.sshdService(); err != nil {
		return err
	}
	planned, err := plan.Make(p.root, w)
	if err != nil {
		return err
	}
	if len(planned.Changes) == 0 {
		fmt.Fprintf(p.Out, "Nothing to change: logins by SSH ask for %s already.\n", w.Stack)
		return nil
	}
	for _, c := range planned.Changes {
		fmt.Fprint(p.Out, c.Diff())
	}
	if err := p.examine(planned, w); err != nil {
		return err
	}
	if o.DryRun {
		fmt.Fprintln(p.Out, "Nothing was changed.")
		return nil
	}
	if !o.Yes {
		if err := p.agreed(len(planned.Changes), w.Stack); err != nil {
			return err
		}
	}
	return p.begin(planned, w, o.Within)
}

// wished is what the command line says.
func (p *program) wished(o options.Options) (plan.Wish, error) {
	w := plan.Wish{Stack: plan.Stack(o.Stack)}
	if !slices.Contains(plan.Stacks, w.Stack) {
		return w, hint.Misuse("--stack must be password+code, key+code or key-or-password+code, "+
			"not %q", o.Stack)
	}
	if o.Within < time.Second || o.Within > 24*time.Hour {
		return w, hint.Misuse("--within must be between 1s and 1d")
	}
	if o.Given["service"] {
		for _, name := range strings.Split(o.Service, ",") {
			if name != "sshd" && !slices.Contains(w.More, name) {
				w.More = append(w.More, name)
			}
		}
	}
	return w, nil
}

// activatedBefore reports whether an activation like this is in force or pending.
func (p *program) activatedBefore(w plan.Wish) (bool, error) {
	j, err := p.activations().Load()
	if err == nil && j.State == journal.Pending {
		j, err = p.stillPending(j)
	}
	if err != nil || j.State == journal.Inactive {
		return false, err
	}
	missing := func(name string) bool { return !slices.Contains(j.Services, name) }
	if j.Stack != string(w.Stack) || slices.ContainsFunc(w.More, missing) {
		return true, hint.Error(fmt.Sprintf("enroll activate has been done already, for %s (%s)",
			j.Stack, strings.Join(j.Services, ", ")), "first: enroll deactivate")
	}
	if err := p.putBack(j); err != nil {
		return true, err
	}
	return true, p.told(j)
}

// putBack fails if others have put back what a file of an activation held before, as a package's
// upgrade may: then logins may need no code.
func (p *program) putBack(j *journal.Journal) error {
	if j.InForce.Wall.IsZero() {
		return nil // its files are being written, or it was killed before they were
	}
	for _, f := range j.Files {
		holds, err := p.activations().Content(f)
		if err != nil {
			return err
		}
		if holds == journal.Before {
			return hint.Error(f.Path+" is as it was before enroll activate, which is no longer in "+
				"force as a whole", "first: enroll deactivate")
		}
	}
	return nil
}

// stillPending undoes an activation whose time is over, and has the others waited for: what did
// that may have been killed.
func (p *program) stillPending(j *journal.Journal) (*journal.Journal, error) {
	if j.Due(journal.Now()) == 0 {
		return p.machine().Overdue()
	}
	return j, p.machine().Watch()
}

// agreed asks whether the changes are to be made.
func (p *program) agreed(changes int, s plan.Stack) error {
	if !p.Typed() {
		return hint.Error("standard input is not a terminal; nothing was changed",
			"--yes asks nothing, --dry-run only shows what would change")
	}
	answer, err := p.Ask(fmt.Sprintf("Change %s, so that a login by SSH takes %s? [y/N] ",
		plural.Of(changes, "file"), s))
	if err != nil {
		return err
	}
	if a := strings.ToLower(strings.TrimSpace(answer)); a != "y" && a != "yes" {
		return hint.Error("nothing was changed", "")
	}
	return nil
}

// begin makes the changes, and says what is to be done now.
func (p *program) begin(planned plan.Plan, w plan.Wish, within time.Duration) error {
	j, err := p.machine().Begin(planned, w, within)
	if err != nil {
		return err
	}
	p.logged(audit.Change{What: "activate", Detail: fmt.Sprintf("%s for %s, until %s unless "+
		"confirmed", j.Stack, strings.Join(j.Services, ","), j.Until().UTC().Format(time.RFC3339))})
	if !boot.Survives(p.root) {
		fmt.Fprintln(p.Err, "enroll: warning: the first process of this machine starts no "+
			"services: if it is started again within that time, nothing undoes this by itself. "+
			"Then type: enroll deactivate")
	}
	return p.told(j)
}

// activations is where activations are kept.
func (p *program) activations() journal.Store { return journal.Store{Root: p.root} }

// machine is this machine, for an activation.
func (p *program) machine() activate.Activation {
	program := boot.Program()
	return activate.Activation{
		Store: p.activations(), Now: journal.Now, Pause: time.Sleep,
		Patience: safefile.Patience{Limit: lockWait},
		Check:    daemon.Check,
		Reload:   func() error { return daemon.Reload(boot.Systemd(), time.Sleep) },
		Arm:      func() error { return boot.Arm(p.root, program) },
		Disarm:   func() error { return boot.Disarm(p.root) },
		Watch:    func() error { return boot.Watch(program) },
	}
}

// deactivate undoes an activation, at once or when it is due.
func (p *program) deactivate(o options.Options) error {
	switch {
	case o.Detach && !o.Due:
		return hint.Misuse("--detach is for --due")
	case o.Detach:
		return boot.Detach(boot.Program())
	case o.Due:
		return p.whenDue()
	}
	before, err := p.activations().Load()
	if err != nil {
		return err
	}
	if err := p.unrecorded(before); err != nil {
		return err
	}
	if before.State == journal.Inactive {
		fmt.Fprintln(p.Out, "Nothing to undo: enroll activate is not in force.")
		return nil
	}
	j, err := p.machine().Undo(p.caller())
	if err != nil {
		return activate.Hinted(err)
	}
	p.logged(audit.Change{What: "deactivate", Detail: strings.Join(j.Paths(), ",")})
	for _, path := range j.Paths() {
		fmt.Fprintln(p.Out, path+": as it was before enroll activate")
	}
	fmt.Fprintln(p.Out, "sshd has read its configuration again. Open sessions go on.")
	return nil
}

// unrecorded fails if files hold what an activation wrote, and its journal is lost.
func (p *program) unrecorded(j *journal.Journal) error {
	if len(j.Files) > 0 {
		return nil
	}
	marked := plan.Marked(p.root)
	if len(marked) == 0 {
		return nil
	}
	return hint.Error("what enroll activate wrote is in "+strings.Join(marked, " and ")+
		", but "+journal.Folder+", which says what was there before, is missing",
		"put that folder or these files back from a backup, then have sshd reload. Without a backup, "+
			"keep a session open as root, and see ACTIVATE in enroll(8)")
}

// whenDue waits for the time of a pending activation.
func (p *program) whenDue() error {
	j, err := p.machine().Await()
	if err == nil && j.Undone {
		detail := activate.Unconfirmed
		if len(j.Left) > 0 {
			detail += "; changed by others since, and left as they are: " + strings.Join(j.Left, ",")
		}
		if len(j.Theirs) > 0 {
			detail += "; changed by others since, and without latchkey's lines now: " +
				strings.Join(j.Theirs, ",")
		}
		p.logged(audit.Change{What: "rollback", Detail: detail})
	}
	return err
}
