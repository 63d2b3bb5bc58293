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

func TestCodeOfLatchkeysOwnIsTenLettersThatLookLikeDigitsToo(t *testing.T) {
	for answer, want := range map[string]string{
		"abcde-fgh12":                           "abcdefgh12",
		"ABCDE FGH12":                           "abcdefgh12",
		"oOiIl-L0011":                           "0011110011",
		"\tabcde-fgh12\r\n":                     "abcdefgh12",
		"0123456789":                            "0123456789",
		"abcde-fgh1":                            "",
		"abcde-fgh123":                          "",
		"abcdu-fgh12":                           "",
		"abcde_fgh12":                           "",
		strings.Repeat("-", 502) + "abcdefgh12": "abcdefgh12",
		strings.Repeat("-", 503) + "abcdefgh12": "",
	} {
		code, possible := normalize.OwnCode(answer)
		if possible != (want != "") || possible && code != want {
			t.Errorf("%.20q: got %q, %v; want %q", answer, code, possible, want)
		}
	}
}

func TestCodeThatIsSentHasFourToTenDigits(t *testing.T) {
	for answer, want := range map[string]bool{
		"123": false, "1234": true, "1234567890": true, "12345678901": false, "12a4": false,
	} {
		if _, possible := normalize.SentCode(answer); possible != want {
			t.Errorf("%q: got %v, want %v", answer, possible, want)
		}
	}
}

func TestAnyCodeIsOneOfDigitsBeforeItIsOneOfLetters(t *testing.T) {
	for answer, want := range map[string]string{
		"123 456": "123456", "01234-56789": "0123456789", "ol234-56789": "0123456789",
		"abcde-fgh12": "abcdefgh12", "password": "", "": "",
	} {
		code, possible := normalize.AnyCode(answer)
		if possible != (want != "") || possible && code != want {
			t.Errorf("%q: got %q, %v; want %q", answer, code, possible, want)
		}
	}
}

func TestDigitsAreThoseOfASCII(t *testing.T) {
	for code, want := range map[string]bool{"": true, "09": true, "/": false, ":": false,
		"1a": false} {
		if got := normalize.IsDigits(code); got != want {
			t.Errorf("%q: got %v, want %v", code, got, want)
		}
	}
}
