package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
)

// The files in testdata/google were made by google-authenticator and then used by
// pam_google_authenticator (20191231).
func TestFilesOfTheRealModuleAreTakenOver(t *testing.T) {
	const rate = "RATE_LIMIT 3 30 (here latchkey.toml limits wrong codes)"
	const lastStep = 59845355
	for name, c := range map[string]struct {
		kind    method.Method
		period  time.Duration
		counter uint64
		codes   int
		lost    []string
		notes   int
	}{
		"fresh": {method.TOTP, 30 * time.Second, 0, 5, []string{rate}, 0},
		"totp":  {method.TOTP, 30 * time.Second, lastStep, 4, []string{rate}, 0},
		"grace": {method.TOTP, 30 * time.Second, lastStep, 2,
			[]string{"LAST (here every login needs a code)"}, 0},
		"step":      {method.TOTP, time.Minute, lastStep / 2, 5, nil, 0},
		"resetting": {method.TOTP, 30 * time.Second, 0, 5, nil, 0},
		"reuse": {method.TOTP, 30 * time.Second, lastStep + 8, 5, []string{
			"WINDOW_SIZE 17 (here a code may be one step early or late)", rate,
			"no DISALLOW_REUSE (here a code works once)"}, 1},
		"hotp": {method.HOTP, 0, 6, 10, []string{"WINDOW_SIZE 17 (here a token may be 10 " +
			"codes ahead)", rate}, 0},
		"skew": {method.TOTP, 30 * time.Second, lastStep + 23, 5, []string{
			"TIME_SKEW 20 (the clocks of app and host differ by 600 seconds: set them right)"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := Google(strings.NewReader(readFile(t, "google/"+name)), name, made)
			if err != nil || e.User != "" || e.Err != nil || len(e.Devices) != 1 {
				t.Fatalf("%+v, %v", e, err)
			}
			d := e.Devices[0]
			if d.Type != c.kind || d.Period != c.period || d.Counter != c.counter ||
				d.Digits != 6 || d.Label != "google" || len(d.Secret) != 16 {
				t.Errorf("%+v", d)
			}
			if len(e.Codes) != c.codes || !slices.Equal(e.Lost, c.lost) ||
				len(e.Notes) != c.notes {
				t.Errorf("%d codes, lost %q, notes %q", len(e.Codes), e.Lost, e.Notes)
			}
		})
	}
}

func TestTheCodeThatTheModuleAcceptedLastIsOfTheStepTakenOver(t *testing.T) {
	e, err := Google(strings.NewReader(readFile(t, "google/totp")), "f", made)
	if err != nil {
		t.Fatal(err)
	}
	// as it was typed when testdata was made
	if got := code(t, &e.Devices[0], e.Devices[0].Counter); got != "978156" {
		t.Errorf("code %s", got)
	}
}

func TestUsedStepsOfAGoogleFileComeOver(t *testing.T) {
	const now = 1000 // in steps of 30 seconds; seconds at its beginning: 30000
	for name, c := range map[string]struct {
		options string
		want    uint64
	}{
		"none":                           {`" DISALLOW_REUSE`, 0},
		"the highest of several":         {`" DISALLOW_REUSE 998 1000 999`, 1000},
		"no list, and no login is known": {`" RATE_LIMIT 3 30`, 0},
		"no list, and the last attempt": {`" RATE_LIMIT 3 30 29000 29970 29500`,
			999 + 1},
		"no list, and the last login": {"\" LAST0 host 29970\n\" LAST9 host 29000",
			999 + 1},
		"no list, and a wide window": {"\" WINDOW_SIZE 17\n\" LAST0 host 29970",
			999 + 8},
		"no list, and a phone that is ahead": {"\" TIME_SKEW 20\n\" LAST0 host 29970",
			999 + 20 + 1},
		"no list, and a phone that is behind": {"\" TIME_SKEW -20\n\" LAST0 host 29970",
			999 - 20 + 1},
		"a list, and an attempt that is later": {"\" DISALLOW_REUSE 998\n" +
			"\" RATE_LIMIT 3 30 29970", 998},
		"a list without the step of a found skew": {"\" DISALLOW_REUSE\n\" TIME_SKEW 20\n" +
			"\" RATE_LIMIT 3 30 29970", 999 + 20 + 1},
		"behind by more than there is time": {"\" TIME_SKEW -2000\n\" LAST0 host 29970", 0},
	} {
		t.Run(name, func(t *testing.T) {
			text := base32Secret + "\n\" TOTP_AUTH\n" + c.options + "\n"
			e, err := Google(strings.NewReader(text), "f", time.Unix(now*30, 0))
			if err != nil {
				t.Fatal(err)
			}
			if e.Devices[0].Counter != c.want {
				t.Errorf("the last step is %d, want %d", e.Devices[0].Counter, c.want)
			}
		})
	}
}

func TestACounterOrAStepOfTheFutureIsToldOrRefused(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	at := func(after time.Duration) (Entry, error) {
		text := fmt.Sprintf("%s\n\" TOTP_AUTH\n\" DISALLOW_REUSE %d\n", base32Secret,
			now.Add(after).Unix()/30)
		return Google(strings.NewReader(text), "f", now)
	}
	if e, err := at(0); err != nil || len(e.Notes) != 0 {
		t.Errorf("now: %v, %v", e.Notes, err)
	}
	want := `codes of "google" are accepted from 2027-01-15 08:05:00 UTC on`
	if e, err := at(5 * time.Minute); err != nil || !slices.Equal(e.Notes, []string{want}) {
		t.Errorf("in five minutes: %q, %v", e.Notes, err)
	}
	_, err := at(25 * time.Hour)
	refused(t, err, "f", "a code from the future was used")
}

func TestASecretIsReadAsTheModuleReadsIt(t *testing.T) {
	for name, c := range map[string]struct{ line, want string }{
		"as google-authenticator writes it": {base32Secret, shared},
		"in small letters":                  {strings.ToLower(base32Secret), shared},
		"in groups":                         {"GEZD GNBV-GY3T\tQOJQ GEZDGNBVGY3TQOJQ", shared},
		"with digits for letters":           {"8OO0LL11", "\x0b\x9c\xe5\xad\x6b"},
		"with a character too many":         {base32Secret + "A", shared},
		"with bits that are no byte":        {"GEZDGNBVGY3TQOJR7", "1234567891"},
	} {
		got, err := googleSecret(c.line)
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, c.want)
		}
	}
}

func TestAGoogleFileWithOtherLineEndsAndEmptyLinesIsTheSame(t *testing.T) {
	plain := readFile(t, "google/totp")
	want, err := Google(strings.NewReader(plain), "f", made)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"CR LF":                strings.ReplaceAll(plain, "\n", "\r\n"),
		"empty lines":          strings.ReplaceAll(plain, "\n", "\n\n"),
		"no end of line":       strings.TrimSuffix(plain, "\n"),
		"a scratch code twice": plain + want.Codes[0] + "\n",
	} {
		got, err := Google(strings.NewReader(text), "f", made)
		if err != nil || !slices.Equal(got.Codes, want.Codes) ||
			string(got.Devices[0].Secret) != string(want.Devices[0].Secret) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestAFileThatCannotBeReadIsAnError(t *testing.T) {
	for _, format := range []Format{GoogleFormat, OathFormat, CSVFormat} {
		broken := errors.New("input/output error")
		if _, err := Read(format, iotest.ErrReader(broken), "f", made); !errors.Is(err, broken) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

func TestAGoogleFileIsRefused(t *testing.T) {
	const option = "\n\" TOTP_AUTH\n"
	for name, c := range map[string]struct{ text, where, why string }{
		"empty": {"", "f:1", "not a secret in base32"},
		"a secret with other characters": {"ABCDEFG9HIJ" + option, "f:1",
			"not a secret in base32"},
		"a secret with letters beyond ASCII": {"ABCDEFGſHIJKLMNOP" + option, "f:1",
			"not a secret in base32"},
		"a secret of 9 bytes": {"ABCDEFGHIJKLMNO" + option, "f",
			"a secret has 10 to 128 bytes"},
		"a secret of 129 bytes": {strings.Repeat("A", 207) + option, "f",
			"a secret has 10 to 128 bytes"},
		"TOTP_AUTH behind two blanks": {base32Secret + "\n\"  TOTP_AUTH\n", "f",
			"line 2 was ignored: an option without a name"},
		"no option that accepts a code": {base32Secret + "\n\" WINDOW_SIZE 3\n12345678\n",
			"f", "neither TOTP_AUTH nor HOTP_COUNTER"},
		"HOTP_COUNTER 0 without TOTP_AUTH": {base32Secret + "\n\" HOTP_COUNTER 0\n", "f",
			"line 2 was ignored: HOTP_COUNTER has a value that is not a number from 1"},
		"STEP_SIZE 0": {base32Secret + option + "\" STEP_SIZE 0\n", "f:3",
			"STEP_SIZE has a value that is not a number from 1 to 60"},
		"STEP_SIZE 61": {base32Secret + option + "\" STEP_SIZE 61\n",
			"f:3", "STEP_SIZE has a value"},
		"DISALLOW_REUSE with a word": {base32Secret + option +
			"\" DISALLOW_REUSE 7 x7712\n", "f:3", "DISALLOW_REUSE has a value"},
		"a NUL": {base32Secret + option + "\x00\n", "f:3",
			"a NUL byte, where the module stops reading"},
		"65 KiB": {base32Secret + strings.Repeat("\n", 65<<10), "f",
			"larger than 65536 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Google(strings.NewReader(c.text), "f", made)
			refused(t, err, c.where, c.why, "7712", "ABC", base32Secret)
		})
	}
}

// The module reads these lines so; a user's codes would all be wrong otherwise.
func TestWhatSaysWhichCodesAreRightIsReadAsTheModuleReadsIt(t *testing.T) {
	for name, c := range map[string]struct {
		text    string
		step    time.Duration
		counter uint64
	}{
		"a step and words":        {"\" TOTP_AUTH\n\" STEP_SIZE 60 7712\n", time.Minute, 0},
		"a counter and words":     {"\" TOTP_AUTH\n\" HOTP_COUNTER 5 # 7712\n", 0, 5},
		"a counter alone":         {"\" HOTP_COUNTER 5 # 7712\n", 0, 5},
		"behind carriage returns": {"\" TOTP_AUTH\r\" STEP_SIZE 60\r\n", time.Minute, 0},
		"behind a code":           {"\" TOTP_AUTH\n12345678\r\" STEP_SIZE 60\n", time.Minute, 0},
		"in the midst of a line":  {"  \" TOTP_AUTH\n", 30 * time.Second, 0},
	} {
		e, err := Google(strings.NewReader(base32Secret+"\n"+c.text), "f", made)
		if err != nil || len(e.Devices) != 1 || e.Devices[0].Period != c.step ||
			e.Devices[0].Counter != c.counter {
			t.Errorf("%s: got %+v, %v; want the step %v or the counter %d", name, e, err, c.step,
				c.counter)
		}
		if strings.Contains(strings.Join(e.Notes, " "), "7712") {
			t.Errorf("%s: %q quotes the file", name, e.Notes)
		}
	}
}

func manyCodes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(string(rune('1'+i/10%9)) + "000000" + string(rune('0'+i%10)) + "\n")
	}
	return b.String()
}

// FAULTS 45: the module passes over such a line, so its user goes on with all the rest.
func TestAnOddLineIsNamedAndTheRestTakenOver(t *testing.T) {
	const code = "12345678\n"
	for name, c := range map[string]struct{ odd, why string }{
		"an unknown option": {"\" GRACE_PERIOD 5",
			"an option that pam_google_authenticator does not have"},
		"WINDOW_SIZE 101": {"\" WINDOW_SIZE 101",
			"WINDOW_SIZE has a value that is not a number from 1 to 100"},
		"RATE_LIMIT without values": {"\" RATE_LIMIT",
			"RATE_LIMIT has too few or too many values"},
		"LAST0 without a time": {"\" LAST0 host",
			"LAST0 has too few or too many values"},
		"TIME_SKEW with a word": {"\" TIME_SKEW x7712",
			"TIME_SKEW has a value that is not a number from -1099511627776 to 1099511627776"},
		"HOTP_COUNTER beyond all tokens": {"\" HOTP_COUNTER 9223372036854775807",
			"HOTP_COUNTER has a value that is not a number from 1 to 4611686018427387904"},
		"an option without a name": {"\" ", "an option without a name"},
		"an option twice": {"\" TOTP_AUTH",
			"TOTP_AUTH is there twice; the first one counts"},
		"an option twice, once with values": {"\" TOTP_AUTH 7712",
			"TOTP_AUTH is there twice; the first one counts"},
		"an option behind two blanks": {"\"  STEP_SIZE 60", "an option without a name"},
		"a second counter": {"\" HOTP_COUNTER 0\r\" HOTP_COUNTER 7",
			"HOTP_COUNTER is there twice; the first one counts"},
		"a comment behind a value": {"\" STEP_SIZE 30 # 7712",
			"the words behind the value of STEP_SIZE"},
		"an option without a space": {"\"WINDOW_SIZE 3",
			"neither an option nor a scratch code"},
		"a comment": {"# the old phone",
			"neither an option nor a scratch code"},
		"a scratch code of 7 digits":        {"7712345", "neither an option nor a scratch code"},
		"a scratch code of 9 digits":        {"771234567", "neither an option nor a scratch code"},
		"a scratch code that begins with 0": {"07712345", "neither an option nor a scratch code"},
		"more scratch codes than fit": {strings.TrimSpace(manyCodes(record.MaxRecovery)),
			"more than 64 scratch codes"},
	} {
		t.Run(name, func(t *testing.T) {
			text := base32Secret + "\n\" TOTP_AUTH\n" + code + c.odd + "\n87654321\n"
			e, err := Google(strings.NewReader(text), "f", made)
			line := 4 + strings.Count(c.odd, "\n")
			want := fmt.Sprintf("line %d was ignored: %s", line, c.why)
			if err != nil || len(e.Devices) != 1 || !slices.Contains(e.Notes, want) {
				t.Fatalf("got %+v, %v; want the note %q", e, err, want)
			}
			if d := e.Devices[0]; d.Type != method.TOTP || d.Period != 30*time.Second {
				t.Errorf("got %+v, want an app with steps of 30 seconds", d)
			}
			if !slices.Contains(e.Codes, "12345678") || len(e.Codes) < 64 &&
				!slices.Contains(e.Codes, "87654321") {
				t.Errorf("codes are %q", e.Codes)
			}
			if strings.Contains(strings.Join(e.Notes, " "), "7712") {
				t.Errorf("%q quotes the file", e.Notes)
			}
		})
	}
}
