// Package phone says how phone numbers and languages are written, for the packages that read them
// from a policy, a record or a message. Numbers are in E.164.
package phone

import "strings"

// IsNumber reports whether s is "+" and 7 to 15 digits, the first not 0. Twilio Verify accepts no
// shorter ones.
func IsNumber(s string) bool { return IsPrefix(s) && len(s) > 7 }

// IsPrefix reports whether s can be the beginning of a number: "+" and 1 to 15 digits, the first
// not 0, as no country code begins with 0.
func IsPrefix(s string) bool {
	digits, plus := strings.CutPrefix(s, "+")
	return plus && 1 <= len(digits) && len(digits) <= 15 && digits[0] != '0' &&
		strings.Trim(digits, "0123456789") == ""
}

// IsLocale reports whether s is letters in groups joined by single dashes, 2 to 16 bytes.
func IsLocale(s string) bool {
	if len(s) < 2 || len(s) > 16 {
		return false
	}
	for group := range strings.SplitSeq(s, "-") {
		if group == "" || strings.TrimFunc(group, isLetter) != "" {
			return false
		}
	}
	return true
}

func isLetter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }
