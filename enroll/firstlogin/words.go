package main

import (
	"time"

	"latchkey/enroll/app/guide"
	"latchkey/enroll/app/otpauth"
	"latchkey/enroll/app/qr"
	"latchkey/enroll/plural"
)

// columns is how wide anything is drawn or written: 80 less what PuTTY's plink puts before each
// line of a prompt.
const columns = 76

// What the user sees. All of it stands in prompts, because older sshd shows separate messages
// late, and all but the drawing that was asked for is ASCII without escape sequences: OpenSSH's
// client in a C locale writes other characters as \nnn, dropbear's leaves them out, and neither
// passes an escape sequence on. Which of them it is cannot be known, so nothing is drawn unasked.
const (
	askTicket = "This account needs a second factor.\n" +
		"To set one up you need a ticket from your administrator. Ticket: "
	wrongTicket = "That ticket was not accepted. Ticket: "
	aTicket     = "A ticket looks like abcde-12345.\nYour administrator gives it out. Ticket: "
	intro       = "This account needs a second factor.\nSet up an authenticator app now. "
	stale       = "Delete the entry that you made in the app before: it does not work.\n"
	step2       = "Step 2 of 3. " + guide.ShownNow

	locked    = "Too many wrong tickets. Try again later."
	noTicket  = "No ticket was accepted. Ask your administrator for a new one."
	ticketOff = "The ticket is no longer valid. Ask your administrator for a new one."
	meanwhile = "A second factor was set up for this account meanwhile. Log in again."
	tooLong   = "This took too long. Log in again."
	notSaved  = "The second factor could not be saved.\n" +
		"Ask your administrator to look into the log."
	maybeSaved = "The second factor may have been saved. Keep the entry in the app, and\n" +
		"log in again. If you are asked for a code then, it was saved: make recovery\n" +
		"codes with: enroll codes"
	elsewhere = "This account needs a second factor, which cannot be set up here.\n"
	gaveUp    = "Nothing was set up. Check the clock of your phone, and log in again."
)

// allotted says how long the user has.
func allotted(left time.Duration) string { return "You have " + span(left) + " for it.\n" }

// hurry says how much of that is left once it is little: sshd ends the connection without a word.
func hurry(left time.Duration) string {
	if left >= soon {
		return ""
	}
	return span(left) + " left, then the connection ends.\n"
}

const soon = 2 * time.Minute

// span is a time that is left, rounded down.
func span(left time.Duration) string {
	unit, n := "minute", int(left/time.Minute)
	if left < soon {
		unit, n = "second", max(int(left/time.Second), 0)
	}
	return plural.Of(n, unit)
}

// plain is the secret for people who type it in, or have it read to them.
func plain(account otpauth.Account, secret []byte) string {
	name := account.User + " on " + account.Host
	if len(name) > columns-len(", time-based.") {
		name = account.User
	}
	return "Step 1 of 3. Add an account to the app:\n" + name + ", time-based.\n" +
		"Type \"small\" to scan its secret (\"large\" if that shows no squares),\n" +
		byHand(secret) + step2
}

func byHand(secret []byte) string {
	return "or type it in by hand: " + otpauth.Grouped(secret) + "\n"
}

// usualRows is how high the drawing is but where a user's name is very long.
const usualRows = 19

// drawn is the secret as a QR code, with what fits a window of 80 columns and 24 lines, and above
// it for typing it in.
func drawn(d guide.Drawing, account otpauth.Account, secret []byte) (string, error) {
	code, err := guide.Encode(otpauth.Short(account, secret), func(c *qr.Code) bool {
		width, _ := c.Size(qr.ASCII)
		return width <= columns
	})
	if err != nil {
		return "", err
	}
	other := "Too large for your window, or hard to read? Type \"small\" or \"plain\".\n" +
		"Black on white? Type \"invert\".\n"
	switch _, rows := code.Size(d.Style); {
	case d.Style == qr.Blocks && rows > usualRows:
		other = "" // for the window's 24 lines; "help" says it, too
	case d.Style == qr.Blocks:
		other = "No squares? Type \"large\". Black on white? \"invert\". No drawing: \"plain\".\n"
	}
	return "Step 1 of 3. Scan this with the app,\n" + byHand(secret) +
		d.Of(code) + other + step2, nil
}

// showCodes shows the recovery codes, two a line, until the user has read them.
func showCodes(codes []string) string {
	return "Step 3 of 3. " + guide.KeepCodes + guide.Codes(codes, 2) +
		"\nPress Enter when you have them: "
}
