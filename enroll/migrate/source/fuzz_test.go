package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
)

// FuzzRead: no text panics in any format; errors are one printable line and quote nothing of the
// file that could be a secret; what is taken over can be saved, and its last used time step is
// not far ahead.
func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*")
	for _, name := range append(files, "testdata/users.oath") {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(csvHeader + "alice,totp,," + base32Secret +
		",,,,,\nbob,phone,,,,,,,+15551234567\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		guess, _ := Guess(text)
		for _, format := range []Format{GoogleFormat, OathFormat, CSVFormat} {
			all, err := Read(format, strings.NewReader(string(text)), "f", made)
			checkError(t, text, err)
			if err != nil {
				continue
			}
			if guess == "" && format == GoogleFormat {
				t.Errorf("read as %s, but not taken for it", format)
			}
			for _, e := range all {
				checkError(t, text, e.Err)
				checkEntry(t, e)
			}
		}
	})
}

// checkError looks for anything in the error that is as long as a secret and stands in the file.
func checkError(t *testing.T, text []byte, err error) {
	if err == nil {
		return
	}
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return !unicode.IsPrint(r) }) {
		t.Errorf("%q is not printable", err)
	}
	_, message, _ := strings.Cut(err.Error(), ": ")
	for _, word := range strings.FieldsFunc(string(text), func(r rune) bool {
		return strings.ContainsRune(" \t\r\n,\"", r)
	}) {
		if len(word) >= 16 && strings.Contains(message, word) {
			t.Errorf("%q quotes the file", err)
		}
	}
}

func checkEntry(t *testing.T, e Entry) {
	if e.Err != nil && (len(e.Devices) > 0 || len(e.Codes) > 0) {
		t.Errorf("%v, and still %d devices and %d codes", e.Err, len(e.Devices), len(e.Codes))
	}
	if e.Err == nil && len(e.Devices) == 0 || len(e.Codes) > record.MaxRecovery {
		t.Errorf("%d devices, %d codes", len(e.Devices), len(e.Codes))
	}
	labels := map[string]bool{}
	for _, d := range e.Devices {
		if err := d.Check(); err != nil || labels[d.Label] {
			t.Errorf("%q: %v", d.Label, err)
		}
		labels[d.Label] = true
		if d.Type == method.TOTP && d.Counter > oath.Step(&d.Device, made.Add(farAhead)) ||
			d.Counter > oath.MaxCounter {
			t.Errorf("counter %d", d.Counter)
		}
	}
}
