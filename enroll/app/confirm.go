package app

import (
	"fmt"

	"latchkey/enroll/app/guide"
	"latchkey/enroll/app/otpauth"
	"latchkey/enroll/app/qr"
	"latchkey/enroll/hint"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/factor/oath"
)

// mistypes is how many codes may be wrong before nothing is saved.
const mistypes = 3

// Confirm shows the secret, asks for a code of it and returns that code's time step, which is used
// up by that.
func (a *App) Confirm() (step uint64, err error) {
	a.drawing = a.usualDrawing()
	if err := a.show(); err != nil {
		return 0, err
	}
	first := fmt.Sprintf("Step 2 of %d. ", a.Steps) + guide.ShownNow
	prompt := first
	for wrong := 0; wrong < mistypes; {
		answer, err := a.Ask(prompt)
		if err != nil {
			return 0, err
		}
		if prompt, err = a.obey(answer, first); err != nil {
			return 0, err
		}
		if prompt != "" {
			continue
		}
		wrong++
		code, _ := normalize.DeviceCode(answer)
		step, found, drift, err := oath.Confirm(&a.Device, code, a.Clock())
		if err != nil || found {
			return step, err
		}
		a.Refused()
		prompt = guide.NotTheCode(drift) + guide.ShownNow
	}
	return 0, hint.Error("no correct code; nothing was saved",
		"check the clock of the phone and of this machine, then start again")
}

// obey does what a word asks for, and returns the next prompt; "" if the answer is no word. Words
// are no codes, so they cost nothing.
func (a *App) obey(answer, prompt string) (string, error) {
	switch {
	case guide.IsHelp(answer):
		return guide.Help + prompt, nil
	case a.drawing.Obey(answer):
		return prompt, a.show()
	case guide.IsWord(answer):
		return guide.NotACode + prompt, nil
	}
	return "", nil
}

// usualDrawing is the smallest that the terminal shows, unless another look was asked for.
func (a *App) usualDrawing() guide.Drawing {
	w := a.Window()
	d := guide.Drawing{Style: qr.Blocks, Color: w.Color, Plain: !a.Look.draws()}
	if a.Look.ASCII || !w.UTF8 {
		d.Style = qr.ASCII
	}
	return d
}

// show shows the secret, as a drawing and for typing it in by hand.
func (a *App) show() error {
	first := fmt.Sprintf("Step 1 of %d. ", a.Steps)
	secret := otpauth.Grouped(a.Device.Secret) + "\n"
	switch {
	case !a.drawing.Plain:
		return a.draw(first, secret)
	case a.Look.Picture != "" && !a.Look.Plain:
		fmt.Fprintf(a.Out,
			"%sScan the QR code in %s with the app\n(%s),\nor type it in by hand: %s",
			first, a.Look.Picture, a.account(), secret)
		return nil
	}
	a.showPlain(first, secret)
	return nil
}

// showPlain is for screen readers: nothing is drawn, and each line is a sentence.
func (a *App) showPlain(first, secret string) {
	picture := ""
	if a.Look.Picture != "" {
		picture = "The QR code is in the file " + a.Look.Picture + ".\n"
	}
	fmt.Fprintf(a.Out, "%sType this secret into the app by hand: %sThe account is %s.\n"+
		"It is also in this address: %s\n%s", first, secret, a.account(), a.URI, picture)
}
