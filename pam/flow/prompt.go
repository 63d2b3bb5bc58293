package flow

import (
	"fmt"
	"time"
)

// What the user sees. It says what to do next, and nothing that only the administrator should know.
const (
	firstPrompt    = "Code from your app: "
	wrongPrompt    = "That code was not accepted. Code from your app: "
	replayedPrompt = "That code was used before. Wait for the next one. Code from your app: "

	sorry      = "The second factor cannot be checked. Ask your administrator to look into the log."
	notSaved   = "The second factor cannot be checked (state cannot be saved). Ask your administrator to look into the log."
	notSetUp   = "No second factor is set up for this account. Ask your administrator."
	noneUsable = "None of your second factors may be used here. Ask your administrator."
)

// lockedUntil tells the user how long to wait, in whole minutes so that nobody counts seconds.
func lockedUntil(end, now time.Time) string {
	minutes := int((end.Sub(now) + time.Minute - 1) / time.Minute)
	if minutes == 1 {
		return "Too many wrong codes. Try again in a minute."
	}
	return fmt.Sprintf("Too many wrong codes. Try again in %d minutes.", minutes)
}

func reminder(day string) string {
	return "Set up your second factor before " + day + " ends; without it you cannot log in afterwards. Run: enroll"
}
