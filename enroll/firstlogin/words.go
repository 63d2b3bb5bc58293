package main

import (
	"latchkey/enroll/app/guide"
	"latchkey/enroll/app/otpauth"
	"latchkey/enroll/app/qr"
	"latchkey/pam/record"
)

// columns is how wide anything is drawn or written: 80 less what PuTTY's plink puts before each
// line of a prompt.
const columns = 76

// What the user sees. All of it stands in prompts, because older sshd shows separate messages
// late, and all but the drawing that was asked for is ASCII without escape sequences: OpenSSH's
// client in a C locale writes other characters as \nnn, dropbear's leaves them out, and neither
// passes an escape sequence on.
const (
	askTicket = "This account needs a second factor. To set one up you need a ticket from " +
		"your\nadministrator. Ticket: "
	wrongTicket = "That ticket was not accepted. Ticket: "
	intro       = "This account needs a second factor: codes from an authenticator app.\n" +
		"Set it up now; it takes two minutes.\n\n"

	locked    = "Too many wrong tickets. Try again later."
	ticketOff = "The ticket is no longer valid. Ask your administrator for a new one."
	meanwhile = "A second factor was set up for this account meanwhile. Log in again."
	tooLong   = "This took too long. Log in again."
	notSaved  = "The second factor could not be saved. Ask your administrator to look into " +
		"the log."
	gaveUp = "Nothing was set up. Check the clock of your phone, and log in again."
)

// show shows the secret and asks for a code of it.
func show(d guide.Drawing, account otpauth.Account, device *record.Device) (string, error) {
	code, err := guide.Encode(otpauth.Short(account, device.Secret), func(c *qr.Code) bool {
		width, _ := c.Size(qr.ASCII)
		return width <= columns
	})
	if err != nil {
		return "", err
	}
	other := `Too large for your window, or hard to read? Type "small".`
	if d.Style == qr.Blocks {
		other = `Do you see no squares? Type "large".`
	}
	return "Step 1 of 3. Scan this with the app,\n" + d.Of(code) +
		"or type it in by hand: " + otpauth.Grouped(device.Secret) + "\n" +
		other + "\n" + `Is your window black on white? Type "invert".` + "\nStep 2 of 3. " +
		guide.ShownNow, nil
}

// showCodes shows the recovery codes, two a line, until the user has read them.
func showCodes(codes []string) string {
	return "Step 3 of 3. " + guide.KeepCodes + guide.Codes(codes, 2) +
		"\nPress Enter when you have them: "
}
