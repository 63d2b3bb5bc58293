package main

import (
	"errors"
	"fmt"
	"time"

	"latchkey/enroll/app/guide"
	"latchkey/enroll/app/otpauth"
	"latchkey/enroll/fleet/reach"
	"latchkey/pam/accounts"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/factor/oath"
	"latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/wire"
	say "latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/notify/event"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/session"
	"latchkey/pam/state"
)

// Bounds of one conversation: how often a ticket or a code may be mistyped, and how many words
// cost nothing: a client that sends one whenever it is asked must come to an end.
const (
	ticketTries = 3
	codeTries   = 5
	words       = 20
)

// setup is one user being set up. Nothing is locked and nothing is kept before the last question
// but one.
type setup struct {
	session.Enrolling
	accounts accounts.Accounts
	proof    enrollment.Proof // of the password, and of the ticket where one is asked for
	tries    int              // codes typed
	end      time.Time        // when the login is over at the latest
	saving   bool             // the entry in the user's app may be valid from now on
}

// enroll sets the user up. Only a code of the new device, after it and the recovery codes were
// saved, lets the user in.
func enroll(login session.Enrolling) verdict.Outcome {
	e := &setup{Enrolling: login}
	o := e.run()
	o.Tries = e.tries
	if !o.Allow && o.Reason != verdict.NoAnswer && e.Policy.Help != "" {
		e.Inform(e.Policy.Help)
	}
	return o
}

func (e *setup) run() verdict.Outcome {
	began := e.Clock()
	e.end = e.deadline(began)
	e.accounts = e.where()
	e.proof = enrollment.ByPassword(e.Request.Account(), began, e.Clock)
	needed, err := e.accounts.NeedsTicket(e.Policy.Ticket)
	if err != nil {
		return e.refused(err)
	}
	if needed {
		e.proof = enrollment.Proof{}
		if o, ok := e.ticket(began); !ok {
			return o
		}
	}
	device := enrollment.NewTOTP("app", enrollment.NewSecret("SHA1"), "SHA1", 6, 30e9, e.Clock())
	step, o, ok := e.confirm(&device)
	if !ok {
		return o
	}
	return e.save(device, step)
}

// ticket asks for the administrator's ticket, which the enrollment then uses up: a thief who has
// only the password has none.
func (e *setup) ticket(began time.Time) (verdict.Outcome, bool) {
	prompt := askTicket
	for wrong, typed := 0, 0; wrong < ticketTries; {
		answer, err := e.Ask(prompt)
		if err != nil {
			return ended(err), false
		}
		code, possible := normalize.AnyCode(answer)
		if typed++; !possible && typed <= words && guide.IsWord(answer) {
			prompt = aTicket
			continue
		}
		wrong++
		if prompt = wrongTicket; !possible {
			continue
		}
		result, proof, err := e.accounts.TryTicket(accounts.Try{User: e.Request.Account(),
			Code: code, Began: began, Limits: e.Policy.Limits})
		switch {
		case err != nil:
			return e.refused(err), false
		case result == factor.Locked:
			e.Inform(locked)
			return verdict.Outcome{Reason: verdict.Locked, Detail: "too many wrong tickets"}, false
		case result == factor.Accepted:
			e.proof = proof
			return verdict.Outcome{}, true
		}
	}
	e.Inform(noTicket)
	return verdict.Outcome{Reason: verdict.Wrong, Detail: "no correct ticket"}, false
}

// confirm shows the secret and has a code of it typed. It returns that code's time step.
func (e *setup) confirm(device *record.Device) (uint64, verdict.Outcome, bool) {
	d := guide.Drawing{Plain: true} // which every client shows, and every screen reader reads
	prompt, err := e.show(d, device)
	if err != nil {
		return 0, e.refused(err), false
	}
	prompt = intro + allotted(e.end.Sub(e.Clock())) + e.earlier() + "\n" + prompt
	for typed := 0; e.tries < codeTries; {
		answer, err := e.Ask(prompt)
		if err != nil {
			return 0, ended(err), false
		}
		if typed++; typed <= words && guide.IsWord(answer) {
			prompt, err = e.obey(&d, device, answer)
		} else {
			e.tries++
			var step uint64
			var found bool
			if step, found, prompt, err = e.find(device, answer); found {
				return step, verdict.Outcome{}, true
			}
		}
		if err != nil {
			return 0, e.refused(err), false
		}
		prompt = hurry(e.end.Sub(e.Clock())) + prompt
	}
	e.Inform(gaveUp)
	return 0, verdict.Outcome{Reason: verdict.Unenrolled,
		Detail: "no correct code from the new device"}, false
}

// where is where the accounts are: on this host, or in its fleet.
func (e *setup) where() accounts.Accounts {
	if e.Keyring == nil {
		return reach.Over(e.Root, &dispatch.Dispatcher{Root: e.Root, Clock: e.Clock, Watched: -1})
	}
	return accounts.Local{Store: enrollment.Store{Keyring: *e.Keyring}, Clock: e.Clock}
}

// obey does what a word asks for and returns the next prompt.
func (e *setup) obey(d *guide.Drawing, device *record.Device, word string) (string, error) {
	switch {
	case guide.IsHelp(word):
		return guide.Help + step2, nil
	case d.Obey(word):
		return e.show(*d, device)
	}
	return guide.NotACode + step2, nil
}

func (e *setup) show(d guide.Drawing, device *record.Device) (string, error) {
	account := otpauth.Account{Issuer: e.Policy.Issuer, Host: otpauth.Host(), User: e.Request.Name}
	if d.Plain {
		return plain(account, device.Secret), nil
	}
	return drawn(d, account, device.Secret)
}

// find looks for the time step of a code, and if it is a wrong one, for what to tell the user.
func (e *setup) find(device *record.Device,
	answer string) (step uint64, found bool, prompt string, err error) {
	code, possible := normalize.DeviceCode(answer)
	if !possible {
		return 0, false, guide.NotTheCode(0) + step2, nil
	}
	step, found, drift, err := oath.Confirm(device, code, e.Clock())
	return step, found, guide.NotTheCode(drift) + step2, err
}

// save saves the device with recovery codes and shows those. They are saved first: codes on paper
// that do not work are worse than none, and enroll codes makes new ones at any time.
func (e *setup) save(device record.Device, step uint64) verdict.Outcome {
	codes, set, err := enrollment.NewRecovery()
	if err != nil {
		return e.refused(err)
	}
	all := enrollment.Enrollment{Devices: []record.Device{device}, Counters: []uint64{step},
		Recovery: set}
	e.saving = true
	saved := e.accounts.Enroll(e.proof, e.Request.Account(), all)
	if saved != nil && !errors.Is(saved, safefile.ErrInForce) {
		return e.refused(saved)
	}
	e.Happened(e.Policy, added(device, e.Clock()))
	e.forget()
	detail := "enrolled in this login"
	// the new device counts like any other, so its user must see the recovery codes
	if saved != nil {
		detail += ": " + saved.Error()
	}
	if _, err := e.Ask(hurry(e.end.Sub(e.Clock())) + showCodes(codes)); err != nil {
		o := ended(err)
		o.Detail = "enrolled; disconnected before the recovery codes were read"
		return o
	}
	return verdict.Outcome{Allow: true, Reason: verdict.OK, Method: string(device.Type),
		Device: device.Label, Detail: detail}
}

// added is the event for a new device.
func added(device record.Device, at time.Time) event.Event {
	e := event.New(event.DeviceAdded, at)
	e.Method, e.Device = string(device.Type), device.Label
	return e
}

// refused denies because nothing could be saved, and tells the user what to do.
func (e *setup) refused(err error) verdict.Outcome {
	o, text := verdict.Outcome{Reason: verdict.Record, Detail: "enroll: " + err.Error()}, notSaved
	var fleet *wire.Error
	switch {
	case errors.As(err, &fleet):
		return e.notHere(fleet)
	case errors.Is(err, enrollment.ErrTicket):
		o.Reason, text = verdict.Unenrolled, ticketOff
	case errors.Is(err, enrollment.ErrProof):
		o.Reason, text = verdict.Unenrolled, tooLong
	case errors.Is(err, enrollment.ErrEnrolled):
		o.Reason, text = verdict.Unenrolled, meanwhile
	case errors.Is(err, factor.ErrState), errors.Is(err, state.ErrSave):
		o.Reason = verdict.State
	}
	e.Inform(text)
	return o
}

// notHere denies because of a fault of the fleet. Where another host enrolls, the user is told.
func (e *setup) notHere(f *wire.Error) verdict.Outcome {
	text := say.Fault(f.Fault)
	switch {
	case f.Fault == wire.Role:
		text = elsewhere + f.Text + "."
	case e.saving && text == say.MaybeUsed:
		text = maybeSaved
	}
	e.Inform(text)
	return verdict.Deny(verdict.Fleet, fmt.Sprintf("(%s) %s", f.Fault, f.Text))
}

// ended denies because there was no further answer.
func ended(err error) verdict.Outcome {
	return verdict.Outcome{Reason: verdict.NoAnswer, Detail: err.Error()}
}
