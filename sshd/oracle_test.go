package sshd_test

import (
	"encoding/base32"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/migrate/source"
	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/sshd/suite"
	"latchkey/sshd/suite/app"
	"latchkey/sshd/suite/wire"
)

// oddLines are lines that google's file may contain in addition to those that google-authenticator
// writes, with what a user could type because of them.
var oddLines = []struct{ name, line, typed string }{
	{"a comment", "# the old phone", ""},
	{"a comment in an option's place", `" # the old phone`, ""},
	{"an empty line", "", ""},
	{"a line of blanks", "   ", ""},
	{"a code with a trailing blank", "55512345 ", "55512345"},
	{"a code with a trailing tab", "55512345\t", "55512345"},
	{"a code with a comment", "55512345 # printed", "55512345"},
	{"a code after blanks", " \t55512345", "55512345"},
	{"a code with a sign", "+55512345", "55512345"},
	{"a code below zero", "-55512345", "55512345"},
	{"a code with a carriage return", "55512345\r", "55512345"},
	{"a code with leading zeros", "0055512345", "55512345"},
	{"a code of ten digits", "5551234567", "5551234567"},
	{"a code of nine digits", "555123456", "555123456"},
	{"a code of seven digits", "5551234", "5551234"},
	{"a code that begins with 0", "05551234", "05551234"},
	{"a code too large for a number", "99999999999999999999", "99999999"},
	{"a word", "scratch", ""},
	{"an option that does not exist", `" GRACE_PERIOD 5`, ""},
	{"an option without a blank", `"WINDOW_SIZE 17`, ""},
	{"an option after a blank", ` " WINDOW_SIZE 17`, ""},
	{"a lone quotation mark", `"`, ""},
	{"an option in small letters", `" window_size 17`, ""},
	{"an option twice", `" TOTP_AUTH`, ""},
	{"an option with a value too many", `" WINDOW_SIZE 3 4`, ""},
	{"an option with a sign", `" WINDOW_SIZE +3`, ""},
	{"an option with a trailing blank", "\" WINDOW_SIZE 3 ", ""},
	{"an option with two blanks", `" WINDOW_SIZE  3`, ""},
	{"an option without a value", `" WINDOW_SIZE`, ""},
	{"an option with a value too small", `" WINDOW_SIZE 0`, ""},
	{"an option with a value too large", `" STEP_SIZE 61`, ""},
	{"an option with a word", `" WINDOW_SIZE many`, ""},
	{"a rate with a word", `" RATE_LIMIT 3 30 now`, ""},
	{"a rate with one value", `" RATE_LIMIT 3`, ""},
	{"a used step that is a word", `" DISALLOW_REUSE never`, ""},
	{"a used step with a comma", `" DISALLOW_REUSE 1, 2`, ""},
	{"a skew that is a word", `" TIME_SKEW late`, ""},
	{"a counter of zero", `" HOTP_COUNTER 0`, ""},
	{"a counter below zero", `" HOTP_COUNTER -1`, ""},
	{"a counter that is a word", `" HOTP_COUNTER one`, ""},
	{"a counter beside the app", `" HOTP_COUNTER 7`, ""},
	{"a login without a time", `" LAST0 host`, ""},
	{"a login at a word", `" LAST0 host now`, ""},
	{"codes typed for a skew that are words", `" RESETTING_TIME_SKEW a b`, ""},
	{"a step behind two blanks", `"  STEP_SIZE 60`, ""},
	{"a step behind a tab", "\" \tSTEP_SIZE 60", ""},
	{"a counter behind two blanks", `"  HOTP_COUNTER 7`, ""},
	{"a counter of zero, and another", "\" HOTP_COUNTER 0\n\" HOTP_COUNTER 7", ""},
}

// changing are lines that change which code is right, with what it is then of: a step of so many
// seconds, or a counter.
var changing = []struct {
	name, line    string
	step, counter uint64
}{
	{"a step with a comment", `" STEP_SIZE 60 # a minute`, 60, 0},
	{"a step behind a carriage return", "\" WINDOW_SIZE 3\r\" STEP_SIZE 60", 60, 0},
	{"a step behind a code", "55512345\r\" STEP_SIZE 60", 60, 0},
	{"a counter with a comment", `" HOTP_COUNTER 7 # presses`, 0, 7},
}

const (
	oracleSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
	goodCode     = "12345678"
	lastCode     = "87654321"
)

// moduleTakes reports whether google's own module accepts what is typed with a fresh copy of file.
func moduleTakes(t *testing.T, h *suite.Host, file, typed string) bool {
	t.Helper()
	script(t, h, "umask 077; cat >/root/google <<'END'\n"+file+"END")
	reply, err := h.Run(wire.Request{
		Argv:  []string{"/usr/bin/pamtester", "oracle", "root", "authenticate"},
		Stdin: []byte(typed + "\n"),
	})
	must(t, err)
	return reply.Exit == 0
}

// oracleCode is the code of this moment's step of so many seconds, or of a counter.
func oracleCode(t *testing.T, step, counter uint64) string {
	t.Helper()
	key, err := base32.StdEncoding.DecodeString(oracleSecret)
	must(t, err)
	if step > 0 {
		counter = uint64(time.Now().Unix()) / step
	}
	code, err := oath.Code(&record.Device{Type: method.HOTP, Secret: key, Algorithm: "SHA1",
		Digits: 6}, counter)
	must(t, err)
	return code
}

// FAULTS 45: the oracle is google's module itself. A code that it accepts is taken over; a line
// that is neither a code nor an option of its own is named.
func TestImportTakesOverWhatGooglesModuleAccepts(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		script(t, h, `cat >/etc/pam.d/oracle <<'END'
auth required pam_google_authenticator.so secret=/root/google user=root
account required pam_permit.so
END`)
		user := &suite.User{Secret: oracleSecret}
		for _, odd := range changing {
			t.Run(odd.name, func(t *testing.T) {
				file := fmt.Sprintf("%s\n\" TOTP_AUTH\n%s\n", oracleSecret, odd.line)
				code := oracleCode(t, odd.step, odd.counter)
				if !moduleTakes(t, h, file, code) {
					t.Fatalf("the module refuses %s", code)
				}
				e, err := source.Google(strings.NewReader(file), "file", time.Now())
				if err != nil || len(e.Devices) != 1 ||
					e.Devices[0].Period != time.Duration(odd.step)*time.Second ||
					e.Devices[0].Counter != odd.counter {
					t.Errorf("got %+v, %v; want a step of %d seconds, or the counter %d", e, err,
						odd.step, odd.counter)
				}
			})
		}
		for _, odd := range oddLines {
			t.Run(odd.name, func(t *testing.T) {
				file := fmt.Sprintf("%s\n\" TOTP_AUTH\n%s\n%s\n%s\n", oracleSecret, goodCode,
					odd.line, lastCode)
				e, err := source.Google(strings.NewReader(file), "file", time.Now())
				if !moduleTakes(t, h, file, user.Code()) {
					return
				}
				if err != nil || len(e.Devices) != 1 || e.Devices[0].Type != method.TOTP ||
					e.Devices[0].Period != app.Step {
					t.Fatalf("the module accepts the app's code, the import says %v, %+v", err, e)
				}
				for _, typed := range []string{goodCode, odd.typed, lastCode} {
					if typed != "" && moduleTakes(t, h, file, typed) &&
						!slices.Contains(e.Codes, typed) {
						t.Errorf("the module accepts %s, the import takes over %q", typed, e.Codes)
					}
				}
			})
		}
	})
}
