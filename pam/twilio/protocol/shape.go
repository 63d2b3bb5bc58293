package protocol

import "strings"

// IsE164 reports whether s is "+" and 7 to 15 digits, the first not 0 (E.164; Verify takes no shorter ones).
func IsE164(s string) bool {
	digits, plus := strings.CutPrefix(s, "+")
	return plus && 7 <= len(digits) && len(digits) <= 15 && digits[0] != '0' && isDigits(digits)
}

// IsVerificationSID reports whether s is "VE" and 32 hexadecimal digits.
func IsVerificationSID(s string) bool { return isSID("VE", s) }

// isSID reports whether s is kind and 32 hexadecimal digits.
func isSID(kind, s string) bool {
	digits, ok := strings.CutPrefix(s, kind)
	return ok && len(digits) == 32 && strings.Trim(digits, "0123456789abcdefABCDEF") == ""
}

// isCode reports whether s is 4 to 10 digits, which is what a service can be set to send.
func isCode(s string) bool { return IsCodeLength(len(s)) && isDigits(s) }

// IsCodeLength reports whether a service can be set to send codes of n digits: 4 to 10.
func IsCodeLength(n int) bool { return 4 <= n && n <= 10 }

// isSecret reports whether s is 1 to 128 printable ASCII characters without a space. Twilio's are letters and digits.
func isSecret(s string) bool {
	return 1 <= len(s) && len(s) <= 128 && strings.TrimFunc(s, visible) == ""
}

// isLocale reports whether s is letters in groups joined by single dashes, 2 to 16 bytes.
func isLocale(s string) bool {
	if len(s) < 2 || len(s) > 16 {
		return false
	}
	for group := range strings.SplitSeq(s, "-") {
		if group == "" || strings.TrimFunc(group, letter) != "" {
			return false
		}
	}
	return true
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func letter(r rune) bool { return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' }

func visible(r rune) bool { return printable(r) && r != ' ' }
