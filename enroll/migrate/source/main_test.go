package source

import (
	"encoding/base32"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/pam/factor/oath"
)

// made is when the files in testdata were last used by the modules that they are of.
var made = time.Unix(1795360657, 0).UTC()

// shared is RFC 4226's.
const shared = "12345678901234567890"

var base32Secret = base32.StdEncoding.EncodeToString([]byte(shared))

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// code is what the device shows for a moving factor.
func code(t *testing.T, d *Device, moving uint64) string {
	t.Helper()
	c, err := oath.Code(&d.Device, moving)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// refused checks an error: it names file and line, says why, and quotes nothing.
func refused(t *testing.T, err error, where, why string, hidden ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("it was taken; want %s: %s", where, why)
		return
	}
	if !strings.HasPrefix(err.Error(), where+": ") || !strings.Contains(err.Error(), why) {
		t.Errorf("%q; want %s: %s", err, where, why)
	}
	for _, h := range hidden {
		if strings.Contains(err.Error(), h) {
			t.Errorf("%q quotes the file", err)
		}
	}
}
