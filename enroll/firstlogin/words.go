package main

import (
	"fmt"
	"strings"

	"latchkey/enroll/otpauth"
	"latchkey/enroll/qr"
	"latchkey/pam/record"
)

// columns is how wide anything is drawn or written: 80 less what PuTTY's plink puts before each line of a prompt.
const columns = 76

// What the user sees. All of it stands in prompts, because older sshd shows separate messages late, and all but the drawing
// that was asked for is ASCII without escape sequences: OpenSSH's client in a C locale writes other characters as \nnn, dropbear's
// leaves them out, and neither passes an escape sequence on.
const (
	askTicket   = "This account needs a second factor. To set one up you need a ticket from your\nadministrator. Ticket: "
	wrongTicket = "That ticket was not accepted. Ticket: "
	intro       = "This account needs a second factor: codes from an authenticator app.\nSet it up now; it takes two minutes.\n\n"
	askCode     = "Step 2 of 3. Type the code that the app shows now: "
	askAgain    = "\nType the code that the app shows now: "

	locked    = "Too many wrong tickets. Try again later."
	ticketOff = "The ticket is not valid any more. Ask your administrator for a new one."
	meanwhile = "A second factor was set up for this account meanwhile. Log in again."
	notSaved  = "The second factor could not be saved. Ask your administrator to look into the log."
	gaveUp    = "Nothing was set up. Check the clock of your phone, and log in again."
)

// drawing is how the code is drawn. The zero value is what every client shows.
type drawing struct {
	small  bool // half blocks
	invert bool // for a terminal with a light background
}

// obey changes the drawing as the user asks, and tells whether that was what the answer said.
func (d *drawing) obey(answer string) bool {
	switch strings.ToLower(strings.Trim(strings.TrimSpace(answer), `"'`)) {
	case "small":
		d.small = true
	case "large":
		d.small = false
	case "invert":
		d.invert = !d.invert
	default:
		return false
	}
	return true
}

// prompt shows the secret and asks for a code of it.
func (d drawing) prompt(host, user string, device *record.Device) (string, error) {
	code, err := encode(host, user, device.Secret)
	if err != nil {
		return "", err
	}
	style, other := qr.ASCII, `Too large for your window? Type "small".`
	if d.small {
		style, other = qr.Blocks, `Do you see no squares? Type "large".`
	}
	return "Step 1 of 3. Scan this with the app,\n" + code.Draw(style, d.invert) +
		"or type it in by hand: " + otpauth.Grouped(device.Secret) + "\n" +
		other + "\n" + `The app cannot read it? Type "invert".` + "\n" + askCode, nil
}

// encode makes the code with the longest label that leaves it narrow enough: host and user, or the user alone.
func encode(host, user string, secret []byte) (code *qr.Code, err error) {
	short, _, _ := strings.Cut(host, ".")
	for _, label := range []string{host + ":" + user, short + ":" + user, user} {
		if code, err = qr.Encode(otpauth.Shortest(label, secret)); err != nil {
			return nil, err
		}
		if width, _ := code.Size(qr.ASCII); width <= columns {
			break
		}
	}
	return code, nil
}

// notTheCode says that a code is not this device's, and why if that is known.
func notTheCode(drift int64) string {
	switch {
	case drift < 0:
		return fmt.Sprintf("That code is about %d seconds old: your phone's clock is slow, or this\nmachine's is fast.", -drift)
	case drift > 0:
		return fmt.Sprintf("That code is about %d seconds early: your phone's clock is fast, or this\nmachine's is slow.", drift)
	}
	return "That is not the code of this account in the app."
}

// showCodes shows the recovery codes, two a line, until the user has read them.
func showCodes(codes []string) string {
	var b strings.Builder
	b.WriteString("Step 3 of 3. Your recovery codes, for when the app is out of reach.\n" +
		"Each works once. Write them down or print them now; they are not shown again.\n\n")
	for i, code := range codes {
		b.WriteString("    " + code)
		if i%2 == 1 || i == len(codes)-1 {
			b.WriteByte('\n')
		}
	}
	b.WriteString("\nPress Enter when you have them: ")
	return b.String()
}
