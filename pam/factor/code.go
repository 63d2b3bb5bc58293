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
