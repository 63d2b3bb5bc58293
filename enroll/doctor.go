package main

import (
	"fmt"
	"io"
	"time"

	"latchkey/enroll/doctor"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/plural"
	"latchkey/pam/gate/names"
	"latchkey/pam/record"
	"latchkey/pam/twilio/protocol"
)

// doctor reports whether a login would work, and whether one could slip past.
func (p *program) doctor(o options.Options) error {
	found := p.examination(o.Service).Run()
	write := writeFindings
	if o.JSON {
		write = func(w io.Writer, found []doctor.Finding) error { return writeJSON(w, found) }
	}
	if err := write(p.Out, found); err != nil {
		return err
	}
	bad := 0
	for _, f := range found {
		if f.Status == doctor.Error {
			bad++
		}
	}
	if bad > 0 {
		return hint.Error(fmt.Sprintf("%d of %s failed", bad, plural.Of(len(found), "check")), "")
	}
	return nil
}

func (p *program) examination(of string) doctor.Doctor {
	find := p.finder()
	d := doctor.Doctor{
		Root: p.root, Service: of, Clock: p.clock, Keyring: p.keyring, Remedy: remedy,
		Progress: p.progress(),
		Reading:  p.counting("users read"),
		LookUp: func(name string) (record.User, error) {
			who, err := find(name)
			return who.User, err
		},
		Group: p.group(), Pause: time.Sleep,
		Probe: func() protocol.Answer {
			return p.twilio(func(t verifier) protocol.Answer { return t.Probe() })
		},
	}
	if p.inFleet() {
		d.Fleet = p.fleetFindings
	}
	return d
}

// fleetFindings are what enroll fleet status says.
func (p *program) fleetFindings() (all []doctor.Finding) {
	for _, c := range p.fleetExamination().Run().Checks {
		all = append(all, doctor.Finding{Check: c.Check, Status: doctor.Status(c.Status),
			Detail: c.Detail, Hint: c.Hint})
	}
	return all
}

// group asks as a login asks; below another root only files are looked at.
func (p *program) group() func(string) error {
	if p.root != "" {
		return nil
	}
	asker := names.LookUp("root")
	return func(group string) error {
		_, err := asker.InGroup(group)
		return err
	}
}

// progress shows on a terminal how far the questions to sshd are: many Match lines take seconds.
func (p *program) progress() func(asked, all int) {
	if !p.Shown {
		return nil
	}
	return func(asked, all int) {
		if asked > 0 && asked%10 == 0 || asked == all {
			fmt.Fprintf(p.Err, "\rsshd has answered %d of %d questions\x1b[K", asked, all)
		}
		if asked == all {
			fmt.Fprint(p.Err, "\r\x1b[K")
		}
	}
}

// remedy is the hint that a command with this error would give.
func remedy(err error) string {
	return hint.Of(hinted(err, ""))
}

func writeFindings(w io.Writer, found []doctor.Finding) error {
	for _, f := range found {
		line := fmt.Sprintf("%s: %s", f.Status, f.Check)
		if f.Detail != "" {
			line += ": " + f.Detail
		}
		if f.Hint != "" {
			line += "\nhint: " + f.Hint
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// twilio asks Twilio Verify; reading its credentials and starting latchkey-twilio as another user
// takes root's rights.
func (p *program) twilio(ask func(verifier) protocol.Answer) (a protocol.Answer) {
	err := p.AsRoot(func() error {
		a = ask(p.newVerifier())
		return nil
	})
	if err != nil {
		return protocol.Answer{Result: protocol.Failed, Detail: err.Error()}
	}
	return a
}
