package protocol

import "strings"

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

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

func visible(r rune) bool { return printable(r) && r != ' ' }
