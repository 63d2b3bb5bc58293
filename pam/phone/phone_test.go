package phone_test

import (
	"testing"

	"latchkey/pam/phone"
)

// check compares what a function says about texts with what it should say.
func check(t *testing.T, is func(string) bool, wants map[string]bool) {
	t.Helper()
	for text, want := range wants {
		if got := is(text); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestNumbersHaveSevenToFifteenDigits(t *testing.T) {
	check(t, phone.IsNumber, map[string]bool{
		"+1555123": true, "+15551234567": true, "+123456789012345": true,
		"": false, "+": false, "+155512": false, "+1234567890123456": false, "15551234567": false,
		"+05551234567": false, "++1555123456": false, "+1 555 1234567": false,
		"+1555123456a":  false,
		"+1555123456\n": false, "+١٢٣٤٥٦٧٨": false,
	})
}

func TestPrefixesAreBeginningsOfNumbers(t *testing.T) {
	check(t, phone.IsPrefix, map[string]bool{
		"+1": true, "+44": true, "+123456789012345": true,
		"": false, "+": false, "1": false, "+0": false, "++1": false, "+1 ": false, "+1-2": false,
		"+١": false, "+1234567890123456": false,
	})
}

func TestLocalesAreLettersInGroups(t *testing.T) {
	check(t, phone.IsLocale, map[string]bool{
		"en": true, "pt-BR": true, "zh-Hant-TW": true, "abcdefghijklmnop": true,
		"": false, "e": false, "-": false, "en-": false, "-en": false, "en--GB": false,
		"en_GB": false,
		"en1":   false, "eñ": false, "abcdefghijklmnopq": false,
	})
}
