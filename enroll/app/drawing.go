package app

import (
	"fmt"
	"io"

	"latchkey/enroll/app/guide"
	"latchkey/enroll/app/otpauth"
	"latchkey/enroll/app/qr"
	"latchkey/enroll/terminal"
)

// What may stand between the drawing and the prompt.
const (
	negative   = `Black on white? Type "invert". `
	unreadable = `The app cannot read it? Type "large" or "small".` + "\n"
	tooTall    = `Taller than your window? Make the window larger and type "again".` + "\n"
)

// draw draws the code as it fits the window, so that it is seen whole together with the prompt
// below it. The secret stands above it, where screen readers come to it first.
func (a *App) draw(first, secret string) error {
	w, d := a.Window(), a.drawing
	above, below := "or type it in by hand: "+secret, ""
	if !w.Color {
		below += negative
	}
	below += unreadable
	more := w.Lines(above) + w.Lines(below) + w.Lines(first+guide.ShownNow)
	code, err := a.encode(w, more)
	if err != nil {
		return err
	}
	if columns, rows := code.Size(d.Style); columns > w.Columns {
		larger := "Make it larger and type \"again\",\n"
		if d.Style == qr.ASCII {
			larger = "Make it larger and type \"again\", or type \"small\",\n"
		}
		fmt.Fprintf(a.Out, "%sThis window is too narrow for the QR code, "+
			"which takes %d columns and %d lines.\n%s%s",
			first, columns, rows, larger, above)
		return nil
	}
	if !holds(w, code, d.Style, more) {
		below += tooTall
	}
	if d.Color {
		defer a.Until(func() { io.WriteString(a.Out, guide.ColorOff) })()
	}
	fmt.Fprintf(a.Out, "%sScan this with the app\n(%s),\n%s%s%s",
		first, a.account(), above, d.Of(code), below)
	return nil
}

// encode makes the QR code with as much in it as leaves it small enough for the window with so
// many lines more, or at least for the window's width.
func (a *App) encode(w terminal.Window, more int) (*qr.Code, error) {
	uris := []string{a.URI}
	if otpauth.Usual(a.Device) {
		uris = append(uris, otpauth.Short(a.Account, a.Device.Secret)...)
	}
	fits := func(code *qr.Code) bool { return holds(w, code, a.drawing.Style, more) }
	code, err := guide.Encode(uris, fits)
	if err != nil || fits(code) {
		return code, err
	}
	w.Rows = 0
	return guide.Encode(uris, fits)
}

// holds reports whether a code, and so many lines more, are all seen at once.
func holds(w terminal.Window, code *qr.Code, style qr.Style, more int) bool {
	columns, rows := code.Size(style)
	return w.Holds(columns, rows+more)
}
