package main

import (
	"fmt"
	"strings"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/secretfile"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/factor/oath"
	"latchkey/pam/record"
)

// addToken gives a user a hardware token, whose secret came with it.
func (p *program) addToken(who identity, o options.Options) error {
	proof, err := p.proveNew(who, o)
	if err != nil {
		return err
	}
	typed, err := p.AskHidden("Step 1 of 2. Secret of the token (base32, hexadecimal or " +
		"otpauth URI): ")
	if err != nil {
		return err
	}
	s, err := secretfile.Read(strings.NewReader(typed), "secret")
	if err != nil {
		return err
	}
	if o, err = agreed(o, s); err != nil {
		return err
	}
	d, err := p.deviceWith(who, o, s.Bytes)
	if err != nil {
		return err
	}
	next, err := p.confirmToken(who, d, o.Counter)
	if err != nil {
		return err
	}
	saved := p.save(proof, who, d, next)
	if made(saved) {
		fmt.Fprintf(p.Out, "Done: the token %q is set up for %s.\n", d.Label, who.Name)
	}
	return saved
}

// confirmTries is how often a code may be mistyped before nothing is saved.
const confirmTries = 3

// tokenReach is how far a new token's counter may be ahead: it has been tried in the shop.
const tokenReach = 1000

// confirmToken asks for a code of the new token and returns the counter to expect next.
func (p *program) confirmToken(who identity, d record.Device, first uint64) (uint64, error) {
	prompt := "Step 2 of 2. Press its button and type the code. Verification code: "
	for range confirmTries {
		answer, err := p.Ask(prompt)
		if err != nil {
			return 0, err
		}
		code, _ := normalize.DeviceCode(answer)
		counter, found, err := oath.FindCounter(&d, code, first, tokenReach)
		if err != nil || found {
			return counter + 1, err
		}
		p.unconfirmed(who, d)
		prompt = "That code is not from this token. Press its button and type the code. " +
			"Verification code: "
	}
	return 0, hint.Error("no correct code; nothing was saved",
		"check the secret, and --digits and --algorithm")
}
