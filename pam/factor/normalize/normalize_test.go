package normalize_test

import (
	"strings"
	"testing"

	"latchkey/pam/factor/normalize"
)

func TestWhatCanBeACode(t *testing.T) {
	for answer, want := range map[string]string{
		"123456":                             "123456",
		"12345678":                           "12345678",
		"123 456":                            "123456",
		"123-456":                            "123456",
		" 12 34-56 78\t":                     "12345678",
		"000000":                             "000000",
		"123456\r\n":                         "123456",
		strings.Repeat(" ", 506) + "1234567": "",
		"":                                   "",
		" ":                                  "",
		"-":                                  "",
		"12345":                              "",
		"1234567":                            "",
		"123456789":                          "",
		"abcdef":                             "",
		"12345a":                             "",
		"12345٦":                             "", // ARABIC-INDIC DIGIT SIX
		"１２３４５６":                             "", // FULLWIDTH DIGITS
		"१२३४५६":                             "", // DEVANAGARI DIGITS
		"123\u00a0456":                       "", // NO-BREAK SPACE
		"123–456":                            "", // EN DASH
		"123\x00456":                         "",
		"123456\x00":                         "",
		"\xff23456":                          "",
		"+12345":                             "",
		"1e5000":                             "",
		"0x1234":                             "",
		strings.Repeat("1", 1<<20):           "",
		strings.Repeat(" ", 1<<20):           "",
		strings.Repeat(" ", 506) + "123456":  "123456",
		strings.Repeat(" ", 507) + "123456":  "", // longer than PAM_MAX_RESP_SIZE
	} {
		code, possible := normalize.DeviceCode(answer)
		if possible != (want != "") || possible && code != want {
			t.Errorf("%.40q: %q, %v", answer, code, possible)
		}
	}
}

func FuzzDeviceCode(f *testing.F) {
	f.Add("123 456")
	f.Fuzz(func(t *testing.T, answer string) {
		code, possible := normalize.DeviceCode(answer)
		if !possible {
			return
		}
		if again, ok := normalize.DeviceCode(code); again != code || !ok || len(code) != 6 &&
			len(code) != 8 || strings.Trim(code, "0123456789") != "" {
			t.Errorf("%q became %q", answer, code)
		}
	})
}
