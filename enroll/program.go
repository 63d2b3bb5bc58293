package main

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"latchkey/enroll/fleet"
	"latchkey/enroll/hint"
	"latchkey/enroll/setuid"
	"latchkey/enroll/terminal"
	"latchkey/pam/accounts"
	"latchkey/pam/authority"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/gate/names"
	"latchkey/pam/limit"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/twilio/protocol"
)

// service is enroll's own PAM service.
const service = "enroll"

// program is one run of enroll.
type program struct {
	*terminal.Console
	setuid.Privilege
	uid     int           // the real uid: the caller's
	by      func() string // and name
	root    string
	clock   func() time.Time
	keyring factor.Keyring // the files of this host
	joined  bool           // this host is one of a fleet
	fleet   func() accounts.Accounts
	given   string // the password that PAM was given, to tell it from a code
	// password asks a user for the password, and whether the account may be used.
	password func(name string) error
	// newVerifier makes what reaches Twilio Verify.
	newVerifier func() verifier
	changed     bool // something was, and is in the log
}

// verifier is what reaches Twilio Verify.
type verifier interface {
	authority.Verifier
	Probe() protocol.Answer
}

// mayName reports whether a word names a user for whom the command would work.
func (p *program) mayName(word string) bool {
	_, err := p.whom(word)
	return err == nil
}

// whom decides for whom the command works: only root may name another user.
func (p *program) whom(named string) (identity, error) {
	self, err := lookUpID(p.uid)
	if err != nil || named == "" || named == self.Name {
		return self, err
	}
	if p.uid == 0 {
		return lookUp(named)
	}
	// Another name of the same uid is the same person; whether the password is that name's PAM
	// decides.
	if alias, err := lookUp(named); err == nil && int(alias.UID) == p.uid {
		return alias, nil
	}
	return identity{}, hint.Error("only root may name another user",
		"without --user the command works for you")
}

// diskFails is the hint where something could not be saved.
const diskFails = "look at the disk: it is full, read-only or failing"

// hinted adds to errors of the packages below what to type next.
func hinted(err error, forUser string) error {
	if of := fleet.Explain(err); of != nil {
		return of
	}
	switch {
	case errors.Is(err, names.ErrUntold):
		return hint.Error(err.Error()+"; nothing was changed",
			"try again when it answers (see /etc/nsswitch.conf)")
	case errors.Is(err, safefile.ErrInForce):
		return hint.Error(err.Error(), "the disk is failing: look at the kernel's log before "+
			"you rely on the change")
	case errors.Is(err, state.ErrSave):
		return hint.Error(err.Error(), diskFails)
	case errors.Is(err, factor.ErrUnenrolled):
		return hint.Error("no second factor is set up", "set one up with: enroll"+forUser)
	case errors.As(err, new(*factor.MissingError)), errors.As(err, new(*factor.NamesakeError)):
		return hint.Error(err.Error(), "only root can do that; until then this account cannot "+
			"log in or enroll")
	case errors.Is(err, safefile.ErrBusy):
		return hint.Error(err.Error(), "another login or enroll is running; try again. A "+
			"process that makes no progress loses the lock to root's programs")
	case errors.Is(err, enrollment.ErrTicket):
		return hint.Error(err.Error()+"; nothing was changed",
			"root gives out a new one with: enroll invite NAME")
	case errors.Is(err, enrollment.ErrMeanwhile):
		return hint.Error(enrollment.ErrMeanwhile.Error()+"; nothing was changed here",
			"start again")
	case errors.Is(err, enrollment.ErrProof):
		return hint.Error(err.Error()+"; nothing was changed", "start again")
	case errors.Is(err, enrollment.ErrLastDevice):
		return hint.Error(err.Error(), "add another first, or put a new app in its place with: "+
			"enroll replace; root can remove everything with: enroll reset NAME")
	case errors.Is(err, enrollment.ErrItself):
		return hint.Error(err.Error()+"; nothing was changed",
			"start again with a code from another device or a recovery code: you must be able "+
				"to log in without this device. For a new phone: enroll replace")
	case errors.Is(err, record.ErrNoKey):
		return hint.Error(err.Error(), "restore it from a backup, or remove the records with: "+
			"enroll reset NAME")
	case errors.Is(err, record.ErrKey):
		return hint.Error(err.Error(), "chown root:root and chmod 0600 the file, or restore it from a "+
			"backup. Without one: enroll reset NAME for every user, then remove it")
	}
	if lost := new(safefile.NoDirError); errors.As(err, &lost) {
		return hint.Error(err.Error(), hint.Folder(lost.Path))
	}
	return err
}

// recordOf is the user's record; nil: they are not enrolled.
func (p *program) recordOf(who identity) (r *record.Record, err error) {
	err = p.AsRoot(func() error {
		r, err = p.store().Record(who.User)
		if errors.Is(err, factor.ErrUnenrolled) {
			return nil
		}
		return err
	})
	return r, err
}

// enrolled reports whether the user has a record, and fails if that is unreadable.
func (p *program) enrolled(who identity) (bool, error) {
	r, err := p.recordOf(who)
	return r != nil, err
}

// enrolledUser is the user for whom the command works, if they have a second factor.
func (p *program) enrolledUser(named string) (identity, error) {
	who, err := p.whom(named)
	if err != nil {
		return who, err
	}
	enrolled, err := p.enrolled(who)
	if err == nil && !enrolled {
		err = factor.ErrUnenrolled
	}
	return who, err
}

// local is where the records of this host are.
func (p *program) local() accounts.Local {
	return accounts.Local{Store: enrollment.Store{Keyring: p.keyring}, Clock: p.clock,
		Twilio: func() authority.Verifier { return p.newVerifier() }}
}

// store is where the accounts are that the commands work on: on this host, or in its fleet.
// Changes are made there, each with a proof of the right to it.
func (p *program) store() accounts.Accounts {
	if p.inFleet() {
		return p.fleet()
	}
	return p.local()
}

// inFleet reports whether this host is one of a fleet: its own records then let no one in.
func (p *program) inFleet() bool { return p.joined }

// asRoot is the right of root, which no other user has.
func (p *program) asRoot() enrollment.Proof {
	if p.uid != 0 {
		return enrollment.Proof{}
	}
	return enrollment.ByRoot()
}

// limits are those of the policy: a code tried here is a guess like any other.
func (p *program) limits() (limit.Guesses, error) {
	rules, err := policy.Load(p.root, policy.DefaultPath)
	if err != nil {
		return limit.Guesses{}, err
	}
	return rules.Limits, nil
}

// writeJSON writes what is an interface for scripts.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false) // URIs stay readable
	return enc.Encode(v)
}
