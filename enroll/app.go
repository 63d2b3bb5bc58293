package main

import (
	"fmt"
	"io"
	"time"

	"latchkey/enroll/guide"
	"latchkey/enroll/otpauth"
	"latchkey/enroll/qr"
	"latchkey/enroll/terminal"
	"latchkey/pam/factor"
	"latchkey/pam/record"
)

// newApp is an authenticator app that a person at a terminal is setting up.
type newApp struct {
	*program
	who     identity
	device  *record.Device
	uri     string // the device's, with all parameters
	options options
	steps   int // how many there are in all; showing the secret is the first, a code of it the second
	drawing guide.Drawing
}

// confirmTries is how often a code may be mistyped before nothing is saved.
const confirmTries = 3

// confirm shows the secret, asks for a code of it and returns that code's time step, which is used up by that.
func (a *newApp) confirm() (uint64, error) {
	a.drawing = a.usualDrawing()
	if err := a.show(); err != nil {
		return 0, err
	}
	first := fmt.Sprintf("Step 2 of %d. ", a.steps) + guide.ShownNow
	prompt := first
	for tries := 0; tries < confirmTries; {
		answer, err := a.Ask(prompt)
		if err != nil {
			return 0, err
		}
		if a.draws() && a.drawing.Obey(answer) {
			if err := a.show(); err != nil {
				return 0, err
			}
			prompt = first
			continue
		}
		tries++
		code, _ := factor.Normalize(answer)
		step, found, drift, err := factor.Confirm(a.device, code, a.clock())
		if err != nil || found {
			return step, err
		}
		a.unconfirmed(a.who, *a.device)
		prompt = guide.NotTheCode(drift) + guide.ShownNow
	}
	return 0, &failure{"no right code; nothing was saved", "check the clock of the phone and of this machine, then start again"}
}

// usualDrawing is the smallest that the terminal shows, unless the options say otherwise.
func (a *newApp) usualDrawing() guide.Drawing {
	w := a.Window()
	d := guide.Drawing{Style: qr.Blocks, Colour: w.Color}
	if a.options.ascii || !w.UTF8 {
		d.Style = qr.ASCII
	}
	return d
}

// draws tells whether the code is drawn on the terminal at all.
func (a *newApp) draws() bool { return !a.options.plain && a.options.png == "" }

// show shows the secret, as a drawing and for typing it in by hand.
func (a *newApp) show() error {
	first := fmt.Sprintf("Step 1 of %d. ", a.steps)
	secret := otpauth.Grouped(a.device.Secret) + "\n"
	switch {
	case a.options.plain:
		a.showPlain(first, secret)
		return nil
	case a.options.png != "":
		fmt.Fprintf(a.out, "%sScan the QR code in %s with the app\n(%s),\nor type it in by hand: %s", first, a.options.png, a.account(), secret)
		return nil
	}
	return a.draw(first, secret)
}

// showPlain is for screen readers: nothing is drawn, and each line is a sentence.
func (a *newApp) showPlain(first, secret string) {
	picture := ""
	if a.options.png != "" {
		picture = "The QR code is in the file " + a.options.png + ".\n"
	}
	fmt.Fprintf(a.out, "%sType this secret into the app by hand: %sThe account is %s.\nIt is also in this address: %s\n%s",
		first, secret, a.account(), a.uri, picture)
}

// account tells what the app wants to know besides the secret.
func (a *newApp) account() string {
	d := a.device
	return fmt.Sprintf("%s on %s, time-based, %s, %d digits, %d seconds", a.who.Name, otpauth.Host(), d.Algorithm, d.Digits, d.Period/time.Second)
}

// What may stand between the drawing and the prompt.
const (
	negative   = `Black on white? Type "invert". `
	unreadable = `The app cannot read it? Type "large" or "small".` + "\n"
	tooTall    = `Taller than your window? Make the window larger and type "again".` + "\n"
)

// draw draws the code as it fits the window, so that it is seen whole together with the prompt below it.
func (a *newApp) draw(first, secret string) error {
	w, d := a.Window(), a.drawing
	below := "or type it in by hand: " + secret
	if !w.Color {
		below += negative
	}
	below += unreadable
	more := w.Lines(below) + w.Lines(first+guide.ShownNow)
	code, err := a.encode(w, more)
	if err != nil {
		return err
	}
	if columns, rows := code.Size(d.Style); columns > w.Columns {
		larger := "Make it larger and type \"again\",\n"
		if d.Style == qr.ASCII {
			larger = "Make it larger and type \"again\", or type \"small\",\n"
		}
		fmt.Fprintf(a.out, "%sThis window is too narrow for the QR code, which takes %d columns and %d lines.\n"+
			"%sor type it in by hand: %s", first, columns, rows, larger, secret)
		return nil
	}
	if !allSeen(w, code, d.Style, more) {
		below += tooTall
	}
	if d.Colour {
		defer a.Until(func() { io.WriteString(a.out, guide.ColourOff) })()
	}
	fmt.Fprintf(a.out, "%sScan this with the app\n(%s),\n%s%s", first, a.account(), d.Of(code), below)
	return nil
}

// encode makes the QR code with as much in it as leaves it small enough for the window with so many lines more, or at least for
// the window's width.
func (a *newApp) encode(w terminal.Window, more int) (*qr.Code, error) {
	uris := []string{a.uri}
	if otpauth.Usual(*a.device) {
		uris = append(uris, otpauth.Short(otpauth.Host(), a.who.Name, a.device.Secret)...)
	}
	fits := func(code *qr.Code) bool { return allSeen(w, code, a.drawing.Style, more) }
	code, err := guide.Encode(uris, fits)
	if err != nil || fits(code) {
		return code, err
	}
	w.Rows = 0
	return guide.Encode(uris, fits)
}

// allSeen reports whether a code, and so many lines more, are all seen at once.
func allSeen(w terminal.Window, code *qr.Code, style qr.Style, more int) bool {
	columns, rows := code.Size(style)
	return w.Holds(columns, rows+more)
}
