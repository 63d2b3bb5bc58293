package guide

import (
	"fmt"
	"strings"
)

// ShownNow asks for the code of an app that was just set up.
const ShownNow = "Type the code that the app shows now. Verification code: "

// KeepCodes says what the recovery codes are that stand below it.
const KeepCodes = "Your recovery codes,\nfor when the app is out of reach. Each works once.\n" +
	"Write them down or print them now; they are not shown again.\n\n"

// NotTheCode says that a code is not this app's, and if its clock is why, by how many seconds
// that is fast (slow: less than 0).
func NotTheCode(drift int64) string {
	switch {
	case drift < 0:
		return fmt.Sprintf("That code is about %d seconds old:\n"+
			"your phone's clock is slow, or this machine's is fast.\n", -drift)
	case drift > 0:
		return fmt.Sprintf("That code is about %d seconds early:\n"+
			"your phone's clock is fast, or this machine's is slow.\n", drift)
	}
	return "That code is wrong.\nCheck that you chose this account in the app.\n"
}

// Codes are recovery codes in so many columns.
func Codes(codes []string, columns int) string {
	var b strings.Builder
	for i, code := range codes {
		b.WriteString("    " + code)
		if (i+1)%columns == 0 || i == len(codes)-1 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
