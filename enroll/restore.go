package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"latchkey/enroll/backup"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/plural"
	"latchkey/pam/audit"
	"latchkey/pam/notify/event"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// restore brings back what backup wrote.
func (p *program) restore(o options.Options) error {
	if o.Operand == "" {
		return hint.Misuse("enroll restore needs FILE")
	}
	if err := p.ownUsers(o); err != nil {
		return err
	}
	if _, err := os.Stat(o.Operand); err != nil { // before a passphrase is asked for
		return hint.Error(err.Error()+"; nothing was changed", "")
	}
	with, err := backup.Identities(o.Identity, func() (string, error) {
		return p.askPassphrase("Passphrase of the backup: ")
	})
	if err != nil {
		return err
	}
	b, err := backup.Open(o.Operand, with)
	if err != nil {
		return p.notRestored(o, err)
	}
	defer b.Close()
	p.warnOfBackup(o, b.Sum)
	outcomes, stopped := b.Restore(p.restoring(o))
	if outcomes == nil && stopped != nil {
		return p.notRestored(o, stopped)
	}
	p.tellRestored(outcomes)
	said := p.sayRestored(o, b, outcomes)
	return errors.Join(said, stopped, p.unrestored(outcomes))
}

func (p *program) restoring(o options.Options) backup.Options {
	find := p.finder()
	return backup.Options{
		Host:  backup.Host{Root: p.root, Keyring: p.keyring, Told: p.counting},
		Proof: p.asRoot(), Clock: p.clock,
		LookUp: func(name string) (record.User, error) {
			who, err := find(name)
			return who.User, err
		},
		Changed: func(became backup.Outcome) {
			p.logged(audit.Change{What: "restore", User: became.User, Detail: became.Result})
		},
		User: o.User, Replace: o.Replace, MatchNames: o.MatchNames, KeepCodes: o.KeepCodes,
	}
}

// tellRestored tells the program of [notify] of a restore, once for all users.
func (p *program) tellRestored(outcomes []backup.Outcome) {
	users := 0
	for _, became := range outcomes {
		users += one(became.User != "" && became.Done())
	}
	rules, _ := policy.Load(p.root, policy.DefaultPath)
	e := event.New(event.Restored, p.clock())
	e.By, e.Detail = p.by(), plural.Of(users, "user")
	p.happened(rules, e)
}

// notRestored says why nothing of a backup was restored.
func (p *program) notRestored(o options.Options, err error) error {
	next := ""
	switch {
	case errors.Is(err, backup.ErrOpen) && o.Identity == "":
		next = "type the passphrase that it was made with; if it was made for a recipient: " +
			"--identity FILE"
	case errors.Is(err, backup.ErrOpen):
		next = "name the identity of its recipient; without --identity a passphrase is asked for"
	case errors.Is(err, backup.ErrNotWhole):
		next = "take another copy: this one is cut off, was changed, or is something else"
	case errors.Is(err, backup.ErrInhabited):
		next = "for one user: --user NAME; to put the backup in place of what they have: --replace"
	case errors.Is(err, backup.ErrClock):
		next = "set the clock: until then it is unknown which codes were used"
	}
	return hint.Error(fmt.Sprintf("%s: %v; nothing was changed", o.Operand, err), next)
}

// warnOfBackup warns of what the options risk.
func (p *program) warnOfBackup(o options.Options, sum string) {
	if o.Identity != "" {
		fmt.Fprintf(p.Err, "enroll: warning: anyone who knows the recipient can make such a "+
			"file: compare what enroll backup printed: SHA-256: %s\n", sum)
	}
	if o.KeepCodes {
		fmt.Fprintln(p.Err, "enroll: warning: recovery codes that were used since the backup "+
			"was made work once more")
	}
}

func (p *program) sayRestored(o options.Options, b *backup.Source,
	outcomes []backup.Outcome) error {
	if o.JSON {
		return writeJSON(p.Out, struct {
			Manifest backup.Manifest  `json:"backup"`
			SHA256   string           `json:"sha256"`
			Outcomes []backup.Outcome `json:"outcomes"`
		}{b.Manifest, b.Sum, outcomes})
	}
	for _, became := range outcomes {
		text := became.User + became.File + ": " + became.Result
		if became.Problem != "" {
			text += ": " + became.Problem
		}
		if len(became.Notes) > 0 {
			text += ": " + strings.Join(became.Notes, ", ")
		}
		if _, err := fmt.Fprintln(p.Out, text); err != nil {
			return err
		}
	}
	return nil
}

// unrestored is the error of a restore that left something out; nil if it did not.
func (p *program) unrestored(outcomes []backup.Outcome) error {
	bad, users := 0, false
	for _, became := range outcomes {
		if !became.Done() {
			bad++
			users = users || became.User != ""
		}
	}
	if bad == 0 {
		return nil
	}
	rules, err := policy.Load(p.root, policy.DefaultPath)
	if users && err == nil && rules.Unenrolled != policy.UnenrolledDeny {
		fmt.Fprintf(p.Err, "enroll: warning: users who are not restored have no second factor, "+
			"and latchkey.toml says unenrolled = %q\n", rules.Unenrolled)
	}
	next := "each line says why; the others are done"
	if bad == len(outcomes) {
		next = ""
	}
	return hint.Error(fmt.Sprintf("%d of %d not restored", bad, len(outcomes)), next)
}
