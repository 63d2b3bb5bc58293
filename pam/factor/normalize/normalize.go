// Package normalize says which answers to a prompt can be a code, and takes out what people type
// into one.
package normalize

import (
	"strings"

	"latchkey/pam/factor/owncode"
)

// MaxAnswer is the longest answer that is looked at, in bytes: PAM_MAX_RESP_SIZE of pam_conv(3).
const MaxAnswer = 512

// A code that Twilio Verify sends is as long as the service says.
const (
	shortestSent = 4
	longestSent  = 10
)

// ignored is what may stand anywhere in a code and around it: people type it, and it comes along
// where a code is pasted.
const ignored = " -\t\r\n"

// DeviceCode takes spaces and dashes, which people type and apps show, out of an answer, and
// reports whether what is left can be a device's code at all: 6 or 8 ASCII digits. What cannot be
// a code is never compared, so it costs the user a try but is not a guess.
func DeviceCode(answer string) (code string, possible bool) {
	code, possible = SentCode(answer)
	return code, possible && (len(code) == 6 || len(code) == 8)
}

// SentCode is DeviceCode for a code that was sent to a phone: 4 to 10 ASCII digits.
func SentCode(answer string) (code string, possible bool) {
	if len(answer) > MaxAnswer {
		return "", false
	}
	code = Without(answer, ignored)
	if !IsDigits(code) {
		return "", false
	}
	return code, len(code) >= shortestSent && len(code) <= longestSent
}

// Without takes all of those characters out of a text. A strings.Replacer does as well, but builds
// tables of some kilobytes first, at each login.
func Without(text, characters string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(characters, r) {
			return -1
		}
		return r
	}, text)
}

// IsDigits reports whether a code is nothing but ASCII digits.
func IsDigits(code string) bool {
	for _, c := range []byte(code) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// OwnCode takes spaces and dashes out of an answer, reads letters that look like digits as those,
// and reports whether what is left can be a code of latchkey's own: for recovery, or given out by
// root.
func OwnCode(answer string) (code string, possible bool) {
	if len(answer) > MaxAnswer {
		return "", false
	}
	code = strings.NewReplacer("o", "0", "i", "1", "l", "1").Replace(
		strings.ToLower(Without(answer, ignored)))
	return code, len(code) == owncode.Length && strings.Trim(code, owncode.Alphabet) == ""
}

// AnyCode passes what can be a code of any kind, normalized.
func AnyCode(answer string) (code string, possible bool) {
	if code, possible = SentCode(answer); possible {
		return code, true
	}
	return OwnCode(answer)
}
