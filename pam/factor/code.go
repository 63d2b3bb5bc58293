package factor

import "strings"

// MaxAnswer is the longest answer that is looked at, in bytes: PAM_MAX_RESP_SIZE of pam_conv(3).
const MaxAnswer = 512

// Normalize takes spaces and dashes, which people type and apps show, out of an answer, and tells whether what
// is left can be a device's code at all: 6 or 8 ASCII digits. What cannot be a code is never compared, so it costs
// the user a try but is not a guess.
func Normalize(answer string) (code string, possible bool) {
	if len(answer) > MaxAnswer {
		return "", false
	}
	code = strings.NewReplacer(" ", "", "-", "", "\t", "", "\r", "", "\n", "").Replace(answer)
	for _, c := range []byte(code) {
		if c < '0' || c > '9' {
			return "", false
		}
	}
	return code, len(code) == 6 || len(code) == 8
}

// NormalizeRecovery takes spaces and dashes out of an answer, reads letters that look like digits as those, and tells whether
// what is left can be a code of latchkey's own: for recovery, or given out by root.
func NormalizeRecovery(answer string) (code string, possible bool) {
	if len(answer) > MaxAnswer {
		return "", false
	}
	code = strings.NewReplacer(" ", "", "-", "", "o", "0", "i", "1", "l", "1").Replace(strings.ToLower(answer))
	return code, len(code) == codeLength && strings.Trim(code, alphabet) == ""
}

// NormalizeAnswer passes what can be a code of any kind, normalized.
func NormalizeAnswer(answer string) (code string, possible bool) {
	if code, possible = Normalize(answer); possible {
		return code, true
	}
	return NormalizeRecovery(answer)
}
