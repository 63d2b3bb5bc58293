package factor

import "strings"

// MaxAnswer is the longest answer that is looked at, in bytes: PAM_MAX_RESP_SIZE of pam_conv(3).
const MaxAnswer = 512

// A code that Twilio Verify sends is as long as the service says.
const (
	shortestSent = 4
	longestSent  = 10
)

// Normalize takes spaces and dashes, which people type and apps show, out of an answer, and reports whether what
// is left can be a device's code at all: 6 or 8 ASCII digits. What cannot be a code is never compared, so it costs
// the user a try but is not a guess.
func Normalize(answer string) (code string, possible bool) {
	code, possible = NormalizeSent(answer)
	return code, possible && (len(code) == 6 || len(code) == 8)
}

// NormalizeSent is Normalize for a code that was sent to a phone: 4 to 10 ASCII digits.
func NormalizeSent(answer string) (code string, possible bool) {
	if len(answer) > MaxAnswer {
		return "", false
	}
	code = strings.NewReplacer(" ", "", "-", "", "\t", "", "\r", "", "\n", "").Replace(answer)
	if !isDigits(code) {
		return "", false
	}
	return code, len(code) >= shortestSent && len(code) <= longestSent
}

func isDigits(code string) bool {
	for _, c := range []byte(code) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// NormalizeRecovery takes spaces and dashes out of an answer, reads letters that look like digits as those, and reports
// whether what is left can be a code of latchkey's own: for recovery, or given out by root.
func NormalizeRecovery(answer string) (code string, possible bool) {
	if len(answer) > MaxAnswer {
		return "", false
	}
	code = strings.NewReplacer(" ", "", "-", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(answer))
	return code, len(code) == codeLength && strings.Trim(code, alphabet) == ""
}

// NormalizeAnswer passes what can be a code of any kind, normalized.
func NormalizeAnswer(answer string) (code string, possible bool) {
	if code, possible = NormalizeSent(answer); possible {
		return code, true
	}
	return NormalizeRecovery(answer)
}
