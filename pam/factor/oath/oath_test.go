package oath_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/pam/factor/oath"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// table reads the lines of a file of the top level's testdata that are no comments, as fields.
func table(t *testing.T, name string) (rows [][]string) {
	t.Helper()
	text, err := os.ReadFile("../../../testdata/" + name)
	testroot.Must(t, err)
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") {
			rows = append(rows, strings.Fields(line))
		}
	}
	return rows
}

// seed is the secret of the RFCs, repeated and cut to n bytes.
func seed(n int) []byte { return []byte(strings.Repeat("1234567890", 7)[:n]) }

func number(t *testing.T, format, text string) (n uint64) {
	t.Helper()
	_, err := fmt.Sscanf(text, format, &n)
	testroot.Must(t, err)
	return n
}

func TestWholeTableOfRFC6238(t *testing.T) {
	rows := table(t, "rfc6238.txt")
	if len(rows) != 6 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	for _, row := range rows {
		at := time.Unix(int64(number(t, "%d", row[0])), 0)
		for i, algorithm := range []string{"SHA1", "SHA256", "SHA512"} {
			d := record.Device{Secret: seed([]int{20, 32, 64}[i]), Algorithm: algorithm, Digits: 8,
				Period: 30 * time.Second}
			if step := oath.Step(&d, at); step != number(t, "%x", row[1]) {
				t.Errorf("%s: step %x, not %s", row[0], step, row[1])
			}
			if code := testroot.Code(t, d, at); code != row[2+i] {
				t.Errorf("%s, %s: %s, not %s", row[0], algorithm, code, row[2+i])
			}
			if step, found, err := oath.FindStep(&d, row[2+i], at, 1); !found || err != nil ||
				step != number(t, "%x", row[1]) {
				t.Errorf("%s, %s: found in step %x: %v, %v", row[0], algorithm, step, found, err)
			}
		}
	}
}

func TestWholeTableOfRFC4226(t *testing.T) {
	rows := table(t, "rfc4226.txt")
	if len(rows) != 10 {
		t.Fatalf("the table has %d rows", len(rows))
	}
	d := record.Device{Secret: seed(20), Algorithm: "SHA1", Digits: 6}
	for _, row := range rows {
		if code, err := oath.Code(&d, number(t, "%d", row[0])); code != row[1] || err != nil {
			t.Errorf("counter %s: %s, %v", row[0], code, err)
		}
	}
}

func TestUnknownAlgorithmHasNoCodes(t *testing.T) {
	d := testroot.TOTP("phone")
	for _, d.Algorithm = range []string{"", "sha1", "MD5", "SHA384"} {
		if code, err := oath.Code(&d, 1); code != "" || err == nil {
			t.Errorf("%q: %s", d.Algorithm, code)
		}
	}
}

func TestTimeStepsOfAnyPeriod(t *testing.T) {
	for _, c := range []struct {
		period time.Duration
		at     int64
		step   uint64
	}{
		{30 * time.Second, 0, 0},
		{30 * time.Second, 29, 0},
		{30 * time.Second, 30, 1},
		{30 * time.Second, -1, 0}, // a clock that was never set
		{time.Second, 1234567890, 1234567890},
		{7 * time.Second, 20, 2},
		{time.Minute, 1234567890, 20576131},
		{24 * time.Hour, 1234567890, 14288},
		{30 * time.Second, 20000000000, 0x27BC86AA},
	} {
		d := record.Device{Period: c.period}
		if got := oath.Step(&d, time.Unix(c.at, 0)); got != c.step {
			t.Errorf("period %v, time %d: step %d, not %d", c.period, c.at, got, c.step)
		}
	}
}

func TestWindowAtTheBeginningOfTimeDoesNotWrap(t *testing.T) {
	d := testroot.TOTP("phone")
	code, err := oath.Code(&d, 1<<64-1)
	testroot.Must(t, err)
	if step, found, err := oath.FindStep(&d, code, time.Unix(0, 0), 1); found || err != nil {
		t.Errorf("found in step %d, %v", step, err)
	}
}
