package protocol

import (
	"strings"

	"latchkey/pam/twilio/access"
)

// IsVerificationSID reports whether s is "VE" and 32 hexadecimal digits.
func IsVerificationSID(s string) bool { return access.IsSID("VE", s) }

// isCode reports whether s is 4 to 10 digits, which is what a service can be set to send.
func isCode(s string) bool { return IsCodeLength(len(s)) && isDigits(s) }

// IsCodeLength reports whether a service can be set to send codes of n digits: 4 to 10.
func IsCodeLength(n int) bool { return 4 <= n && n <= 10 }

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
