package flow

import (
	"fmt"
	"strings"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// What the user sees. It says what to do next, and nothing that only the administrator should know.
const (
	notAccepted  = "Not accepted."
	usedBefore   = "Used before: wait for the next code."
	codeExpired  = "That code has expired."
	usedRecovery = "That recovery code was used before."
	noChecking   = "It could not be checked."
	enoughAsked  = "No more are sent in this login."
	noLonger     = "The code we sent is now void."
	notACode     = "That is not a code."

	lockedForGood = "Too many wrong codes in a row. Only your administrator can unlock this account."

	sorry      = "The second factor cannot be checked. Ask your administrator to look into the log."
	notSaved   = "The second factor cannot be checked (state cannot be saved). Ask your administrator to look into the log."
	notSetUp   = "No second factor is set up for this account. Ask your administrator."
	noneUsable = "None of your second factors may be used here. Ask your administrator."
)

// lockedUntil tells the user how long to wait.
func lockedUntil(end, now time.Time) string {
	return "Too many wrong codes. Try again in " + span(max(end.Sub(now), time.Minute)) + "."
}

// span is a time to wait, rounded up: in seconds below a minute, and then in minutes so that nobody counts seconds.
func span(d time.Duration) string {
	seconds := max(int((d+time.Second-1)/time.Second), 1)
	minutes := (seconds + 59) / 60
	switch {
	case minutes > 1:
		return fmt.Sprintf("%d minutes", minutes)
	case seconds == 60:
		return "a minute"
	case seconds == 1:
		return "a second"
	}
	return fmt.Sprintf("%d seconds", seconds)
}

// fewCodes is how many recovery codes are so few that the user is told at each login.
const fewCodes = 3

func codeUsed(left int) string {
	return fmt.Sprintf("That recovery code is used up; %s left. For new ones run: enroll codes", codes(left))
}

func fewLeft(left int) string {
	return fmt.Sprintf("Only %s left. For new ones run: enroll codes", codes(left))
}

func codes(n int) string {
	if n == 1 {
		return "1 recovery code is"
	}
	return fmt.Sprintf("%d recovery codes are", n)
}

func reminder(day string) string {
	return "When " + day + " is over you need a second factor to log in. To set it up, run: enroll"
}

// refusedBefore tells the user of wrong codes since the last login.
func refusedBefore(r state.Refused) string {
	codes, since := "1 wrong code was", r.First.Format("Mon 2 Jan 15:04")
	last := ""
	if r.Count > 1 {
		codes, last = fmt.Sprintf("%d wrong codes were", r.Count), ", the last"
	}
	if r.From.IsValid() {
		last += " from " + r.From.String()
	} else {
		last = ""
	}
	return codes + " refused since " + since + last + "."
}

// sentTo says that a code is on its way.
func sentTo(r request) string {
	if r.channel == method.Call {
		return "Calling " + r.phone.Hint() + "."
	}
	return "Sent by SMS to " + r.phone.Hint() + "."
}

// sentBefore says that one was sent in an earlier login and still works.
func sentBefore(phone *record.Device) string { return "A code was sent to " + phone.Hint() + "." }

// notSent says that none is; the prompt that follows says what else works.
func notSent(r request) string {
	if r.channel == method.Call {
		return "No call to " + r.phone.Hint() + "."
	}
	return "No SMS to " + r.phone.Hint() + "."
}

// saysThatPhonesFail reports whether a user was told that a code could not be sent or checked.
func saysThatPhonesFail(said string) bool {
	return said == noChecking || strings.HasPrefix(said, "No SMS to ") || strings.HasPrefix(said, "No call to ")
}

func noSMS(r request) string { return r.phone.Hint() + " takes no SMS: type call." }

func waitFor(d time.Duration) string { return "Ask again in " + span(d) + "." }
