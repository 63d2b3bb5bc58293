package field_test

import (
	"strings"
	"testing"

	"latchkey/pam/factor/owncode"
	"latchkey/pam/field"
	"latchkey/pam/method"
	"latchkey/pam/record"
)

// shape returns what the gate makes of a text (pam/gate/split.c).
func shape(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9':
			return '9'
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			return 'a'
		case strings.ContainsRune(",- ", r):
			return r
		}
		return '.'
	}, text)
}

// apps returns a record with apps whose codes have so many digits each.
func apps(digits ...int) *record.Record {
	r := &record.Record{}
	for _, n := range digits {
		r.Devices = append(r.Devices, record.Device{Type: method.TOTP, Digits: n})
	}
	return r
}

// with adds a device or imported recovery codes.
func with(r *record.Record, device method.Method, imported ...string) *record.Record {
	if device != "" {
		r.Devices = append(r.Devices, record.Device{Type: device})
	}
	r.Recovery.Codes = imported
	return r
}

func TestTheCodeIsFoundAtTheEndOfWhatWasTyped(t *testing.T) {
	six, eight, both := field.Of(apps(6)), field.Of(apps(8)), field.Of(apps(6, 8))
	phone := field.Of(with(apps(), method.Phone))
	imported := field.Of(with(apps(6), "", "12345678"))
	for _, c := range []struct {
		name           string
		codes          field.Codes
		password, rest string // the text typed, and what is left of it
	}{
		{"six digits", six, "secret", "123456"},
		{"eight digits", eight, "secret", "12345678"},
		{"a password that ends in digits", six, "secret22", "123456"},
		{"a password that ends in many digits", eight, "19991231", "12345678"},
		{"a password of digits", six, "123456", "654321"},
		{"no password", six, "", "123456"},
		{"nothing", six, "", ""},
		{"no code", six, "secret", ""},
		{"too few digits", six, "secret12345", ""},
		{"six digits of a user who has eight", eight, "secret123456", ""},
		{"six digits of a user who has both", both, "secret", "123456"},
		{"eight digits of a user who has both", both, "secret", "12345678"},
		{"six behind a comma of a user who has both", both, "secret22", ",123456"},
		{"a comma before digits", six, "secret", ",123456"},
		{"a comma and a blank in the code", six, "secret", ",123 456"},
		{"a password that ends in a comma", six, "secret,", ",123456"},
		{"a password with a comma", six, "se,cret", "123456"},
		{"a password that looks like a code behind its comma", six, "se,654321", "123456"},
		{"a comma that ends a password without a code", six, "secret,", ""},
		{"a recovery code", six, "secret", ",abcde-fgh23"},
		{"a recovery code in capitals", six, "secret", ",ABCDE-FGH23"},
		{"a recovery code without its dash", six, "secret", ",abcdefgh23"},
		{"a recovery code with a blank", six, "secret", ",abcde fgh23"},
		{"a recovery code behind a blank", six, "secret", ", abcde-fgh23"},
		{"a recovery code between blanks", six, "secret", ",  abcde-fgh23 "},
		{"words behind comma and blank", six, "secret, passphrase", ""},
		{"words with a blank behind comma and blank", six, "secret, two words", ""},
		{"a recovery code of digits, with its dash", six, "secret", ",12345-67890"},
		{"a recovery code without a comma", six, "secretabcde-fgh23", ""},
		{"a short end of a password before a code", six, "se,cret", "123456"},
		{"letters and a code that are ten together", six, "se,abcd", "123456"},
		{"a dash elsewhere than in the middle", six, "se,abcd-", "123456"},
		{"a recovery code and something behind it", six, "secret,abcde-fgh23.", ""},
		{"an imported recovery code", imported, "secret", ",87654321"},
		{"an app's code beside imported ones", imported, "secret87", "654321"},
		{"an imported one of a user without any", six, "secret,87", "654321"},
		{"a phone", phone, "secret", "123456"},
		{"a phone, where codes are shorter", phone, "secret", ",1234"},
		{"a phone, where codes are longer", phone, "secret", ",1234567890"},
		{"longer than any", phone, "secret,12345", "678901"},
		{"recovery codes alone", field.Of(&record.Record{}), "secret123456", ""},
		{"a recovery code of a user without a device", field.Of(&record.Record{}), "secret",
			",abcde-fgh23"},
		{"a user without a second factor", field.Codes{}, "secret123456", ""},
		{"the same with a comma", field.Codes{}, "secret,abcde-fgh23", ""},
		{"a user who cannot be read", field.Unknown(), "secret", "123456"},
		{"other bytes", six, "s\xc3\xa9cret\x01", "123456"},
	} {
		cut := c.codes.Cut(shape(c.password + c.rest))
		if got := cut.Code + cut.Comma; got != len(c.rest) {
			t.Errorf("%s: of %q %d bytes are taken off, not %d", c.name, c.password+c.rest,
				got, len(c.rest))
		}
		if comma := strings.HasPrefix(c.rest, ","); comma != (cut.Comma == 1) {
			t.Errorf("%s: of %q the cut is %+v", c.name, c.password+c.rest, cut)
		}
	}
}

// A comma before the code is always understood, with any password.
func FuzzACommaBeforeTheCodeEndsThePassword(f *testing.F) {
	for _, password := range []string{
		"", ",", "a,b", "secret22", "se,abcd", "se,abcde-fgh23", "123456", ",,",
	} {
		f.Add(password)
	}
	f.Fuzz(func(t *testing.T, password string) {
		for code, codes := range map[string]field.Codes{
			"123456": field.Of(apps(6)), "12345678": field.Of(apps(8, 6)),
			"abcde-fgh23": field.Of(apps(6)),
		} {
			typed := shape(password + "," + code)
			got := codes.Cut(typed)
			if want := (field.Cut{Code: len(code), Comma: 1}); got != want {
				t.Errorf("%q: %+v, want %+v", typed, got, want)
			}
		}
	})
}

// The codes that enroll prints have the form that is looked for.
func TestACodeAsItIsPrintedIsFoundBehindAComma(t *testing.T) {
	for range 20 {
		code, _, err := owncode.New(make([]byte, record.RecoverySalt))
		if err != nil {
			t.Fatal(err)
		}
		if got := field.Of(apps(6)).Cut(shape("secret," + code)); got.Code != len(code) {
			t.Fatalf("of %q %+v is taken off", code, got)
		}
	}
}
