package prompt

import (
	"fmt"
	"strings"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/method"
	"latchkey/pam/state"
)

// What the user sees. It says what to do next, and nothing that only the administrator should
// know.
const (
	NotAccepted  = "Not accepted."
	UsedBefore   = "Used before: wait for the next code."
	CodeExpired  = "That code has expired."
	UsedRecovery = "That recovery code was used before."
	NotChecked   = "It could not be checked."
	EnoughAsked  = "No more are sent in this login."
	CodeVoid     = "The code we sent is now void."
	NotACode     = "That is not a code."

	LockedForGood = "Too many wrong codes in a row. Only your administrator can unlock this " +
		"account."

	Sorry = "The second factor cannot be checked. Ask your administrator to look into " +
		"the log."
	NotSaved = "The second factor cannot be checked (state cannot be saved). Ask your " +
		"administrator to look into the log."
	NotSetUp   = "No second factor is set up for this account. Ask your administrator."
	OnlyKey    = "Log in with your security key: nothing else is set up for this account."
	NoneUsable = "None of your second factors may be used here. Ask your administrator."
)

// LockedUntil tells the user how long to wait.
func LockedUntil(end, now time.Time) string {
	return "Too many wrong codes. Try again in " + span(max(end.Sub(now), time.Minute)) + "."
}

// span is a time to wait, rounded up: in seconds below a minute, and then in minutes, so that no
// one counts seconds.
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

// FewCodes is how many recovery codes are so few that the user is told at each login.
const FewCodes = 3

// CodeUsed tells the user of a recovery code that was just used up, and how many are left.
func CodeUsed(left int) string {
	return fmt.Sprintf("That recovery code is used up; %s left. For new ones run: enroll codes",
		codesLeft(left))
}

// FewLeft tells the user that few recovery codes are left.
func FewLeft(left int) string {
	return fmt.Sprintf("Only %s left. For new ones run: enroll codes", codesLeft(left))
}

func codesLeft(n int) string {
	if n == 1 {
		return "1 recovery code is"
	}
	return fmt.Sprintf("%d recovery codes are", n)
}

// Reminder tells a user without a second factor until when logins work without one.
func Reminder(day string) string {
	return "When " + day + " is over you need a second factor to log in. To set it up, run: enroll"
}

// RefusedBefore tells the user of wrong codes since the last login.
func RefusedBefore(r state.Refused) string {
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

// NotTrusted tells a user who wanted to trust a computer that it did not work.
const NotTrusted = "This computer could not be remembered:\n" +
	"at the next login you are asked for a code."

// Trust asks a user who was let in whether this computer needs a code next time.
func Trust(days int) string {
	if days == 1 {
		return "Trust this computer for 1 day? [y/N] "
	}
	return fmt.Sprintf("Trust this computer for %d days? [y/N] ", days)
}

// Yes reports whether an answer to a question of yes and no is a yes.
func Yes(answer string) bool {
	answer = strings.ToLower(strings.TrimSpace(answer))
	return answer == "y" || answer == "yes"
}

// SentTo says that a code is on its way.
func SentTo(c Choice) string {
	if c.Channel == method.Call {
		return "Calling " + c.Phone.Hint + "."
	}
	return "Sent by SMS to " + c.Phone.Hint + "."
}

// SentBefore says that one was sent in an earlier login and still works.
func SentBefore(phone authority.Device) string { return "A code was sent to " + phone.Hint + "." }

// NotSent says that none is; the prompt that follows says what else works.
func NotSent(c Choice) string {
	if c.Channel == method.Call {
		return "No call to " + c.Phone.Hint + "."
	}
	return "No SMS to " + c.Phone.Hint + "."
}

// saysThatPhonesFail reports whether a user was told that a code could not be sent or checked.
func saysThatPhonesFail(said string) bool {
	return said == NotChecked || strings.HasPrefix(said, "No SMS to ") ||
		strings.HasPrefix(said, "No call to ")
}

// NoSMS says that a phone takes no SMS, and what it takes.
func NoSMS(c Choice) string { return c.Phone.Hint + " takes no SMS: type call." }

// WaitFor tells the user when to ask for a code again.
func WaitFor(d time.Duration) string { return "Ask again in " + span(d) + "." }
