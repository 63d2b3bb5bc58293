package main

import (
	"encoding/base32"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/pam/factor/oath"
	"latchkey/pam/record"
	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// onTerminal runs enroll on a pseudo-terminal below a root of its own.
func onTerminal(t *testing.T, args ...string) (*terminal.Terminal, string) {
	t.Helper()
	root := t.TempDir()
	if err := makeRoot(root); err != nil {
		t.Fatal(err)
	}
	return terminalIn(t, root, args...), root
}

func terminalIn(t *testing.T, root string, args ...string) *terminal.Terminal {
	t.Helper()
	return started(t, usualColumns, 0,
		append([]string{"env", "LATCHKEY_ROOT=" + root, asEnroll(t)}, args...))
}

// asEnroll is the test program by a name by which it is enroll.
func asEnroll(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "enroll")
	if err := os.Symlink(self, name); err != nil {
		t.Fatal(err)
	}
	return name
}

// bySudo is onTerminal as sudo starts enroll for the user invoker.
func bySudo(t *testing.T, invoker string, args ...string) (*terminal.Terminal, string) {
	t.Helper()
	root := t.TempDir()
	if err := makeRoot(root); err != nil {
		t.Fatal(err)
	}
	environment := []string{"env", "LATCHKEY_ROOT=" + root, "SUDO_USER=" + invoker, asEnroll(t)}
	return started(t, usualColumns, 0, append(environment, args...)), root
}

// usualColumns is the width of a terminal.
const usualColumns = 80

// started runs a command line on a terminal of that size.
func started(t *testing.T, columns, rows int, argv []string) *terminal.Terminal {
	t.Helper()
	term, err := terminal.NewSized(columns, rows, argv)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(term.Close)
	return term
}

// scan waits for the drawing and reads the secret as a person who types it by hand would.
func scan(t *testing.T, term *terminal.Terminal) *record.Device {
	t.Helper()
	expect(t, term, "Type the code that the app shows now. Verification code: ")
	return byHand(t, term)
}

// byHand is the app into which a person has typed the secret that stands on the terminal.
func byHand(t *testing.T, term *terminal.Terminal) *record.Device {
	t.Helper()
	u := suite.User{}
	if err := u.ReadSecret(term.Seen()); err != nil {
		t.Fatal(err)
	}
	secret, err := base32.StdEncoding.DecodeString(u.Secret)
	if err != nil {
		t.Fatal(err)
	}
	return &record.Device{Algorithm: "SHA1", Digits: 6, Period: 30 * time.Second, Secret: secret}
}

func expect(t *testing.T, term *terminal.Terminal, pattern string) {
	t.Helper()
	if err := term.Expect(pattern); err != nil {
		t.Fatal(err)
	}
}

func exits(t *testing.T, term *terminal.Terminal, want int) {
	t.Helper()
	got, err := term.Exit()
	if err != nil || got != want {
		t.Fatalf("exit status %d, %v; want %d; seen: %s", got, err, want, term.Seen())
	}
}

func typed(t *testing.T, term *terminal.Terminal, line string) {
	t.Helper()
	if err := term.Type(line); err != nil {
		t.Fatal(err)
	}
}

func codeAt(t *testing.T, d *record.Device, offset int64) string {
	t.Helper()
	code, err := oath.Code(d, oath.Step(d, time.Now())+uint64(offset))
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// recordOf is the record's bytes, or nothing.
func recordOf(t *testing.T, root string) string {
	t.Helper()
	text, err := os.ReadFile(root + "/etc/latchkey/users/root")
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return string(text)
}

func TestSetUpOnATerminalSavesADeviceWhoseCodeWasConfirmed(t *testing.T) {
	term, root := onTerminal(t)
	d := scan(t, term)
	scanned(t, terminal.Screen{Columns: usualColumns, Rows: 40}, term.Seen())
	if recordOf(t, root) != "" {
		t.Error("something was saved before a code was confirmed")
	}
	code := codeAt(t, d, 0)
	typed(t, term, code)
	expect(t, term, `Step 3 of 3. Your recovery codes`)
	expect(t, term, `(    [0-9a-z]{5}-[0-9a-z]{5}\r\n){10}`)
	expect(t, term, `Done: the device "app" is set up for root`)
	exits(t, term, exitDone)

	again := terminalIn(t, root, "test")
	expect(t, again, "Verification code: ")
	typed(t, again, code)
	expect(t, again, "was used before") // confirming used it up
	exits(t, again, exitFailed)
	next := terminalIn(t, root, "test")
	expect(t, next, "Verification code: ")
	typed(t, next, codeAt(t, d, 1))
	expect(t, next, `accepted: device "app"`)
	exits(t, next, exitDone)
}

func TestThreeWrongCodesSaveNothing(t *testing.T) {
	term, root := onTerminal(t)
	d := scan(t, term)
	wrong := absent(d, oath.Step(d, time.Now()))
	typed(t, term, wrong)
	expect(t, term, `That code is wrong.\s+Check that you chose this account in the app`)
	typed(t, term, "12345")
	expect(t, term, `That code is wrong.\s+Check that you chose this account in the app`)
	typed(t, term, "")
	expect(t, term, "no correct code; nothing was saved")
	exits(t, term, exitFailed)
	if got := recordOf(t, root); got != "" {
		t.Errorf("saved: %s", got)
	}
}

func TestACodeFromAClockThatIsOffSaysByHowMuch(t *testing.T) {
	term, _ := onTerminal(t)
	d := scan(t, term)
	typed(t, term, codeAt(t, d, 10))
	expect(t, term, `about (270|300) seconds early:\s+your phone.s clock is fast`)
	typed(t, term, codeAt(t, d, -10))
	expect(t, term, `about (300|330) seconds old:\s+your phone.s clock is slow`)
}

func TestAnAbortAtThePromptSavesNothing(t *testing.T) {
	for name, key := range map[string]string{"interrupt": "\x03", "end of file": "\x04",
		"hang-up": ""} {
		t.Run(name, func(t *testing.T) {
			term, root := onTerminal(t)
			scan(t, term)
			if key == "" {
				term.Close()
			} else {
				typed(t, term, key)
				if _, err := term.Exit(); err != nil {
					t.Fatal(err)
				}
			}
			if got := recordOf(t, root); got != "" {
				t.Errorf("saved: %s", got)
			}
		})
	}
}

func TestAUserWhoHasADeviceIsToldHowToAddOne(t *testing.T) {
	term, root := onTerminal(t)
	d := scan(t, term)
	typed(t, term, codeAt(t, d, 0))
	exits(t, term, exitDone)
	before := recordOf(t, root)
	again := terminalIn(t, root)
	expect(t, again, "has a second factor already")
	expect(t, again, "enroll add totp")
	exits(t, again, exitFailed)
	if recordOf(t, root) != before {
		t.Error("the record changed")
	}
	more := terminalIn(t, root, "add", "totp")
	typed(t, more, codeAt(t, scan(t, more), 0))
	expect(t, more, `Done: the device "app-2"`)
	exits(t, more, exitDone)
}

func TestSudoEnrollAsksWhetherRootIsMeant(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		answer string
		then   string
	}{
		"no":           {nil, "", "nothing was changed"},
		"another word": {nil, "alice", "nothing was changed"},
		"yes":          {nil, "y", "Type the code that the app shows now. Verification code: "},
		"a token":      {[]string{"add", "hotp"}, "n", "nothing was changed"},
	} {
		t.Run(name, func(t *testing.T) {
			term, root := bySudo(t, "alice", c.args...)
			expect(t, term, "This sets up a second factor for root, not for alice.")
			expect(t, term, `Set up root\? \[y/N\] `)
			if err := term.Type(c.answer); err != nil {
				t.Fatal(err)
			}
			expect(t, term, c.then)
			if got := recordOf(t, root); got != "" {
				t.Errorf("the record is %q, want none", got)
			}
		})
	}
}

// Someone who wants codes for their own account would make root's printed codes worthless.
func TestSudoEnrollCodesAsksBeforeItReplacesThoseOfRoot(t *testing.T) {
	for name, c := range map[string]struct {
		args         []string
		answer, then string
		changed      bool
	}{
		"no":           {nil, "n", "hint: for alice: enroll codes, without sudo", false},
		"another word": {nil, "alice", "nothing was changed", false},
		"yes":          {nil, "y", "The old codes no longer work.", true},
		"by name":      {[]string{"root"}, "", "The old codes no longer work.", true},
	} {
		t.Run(name, func(t *testing.T) {
			term, root := onTerminal(t)
			typed(t, term, codeAt(t, scan(t, term), 0))
			exits(t, term, exitDone)
			before := recordOf(t, root)
			term = started(t, usualColumns, 0, append([]string{"env", "LATCHKEY_ROOT=" + root,
				"SUDO_USER=alice", asEnroll(t), "codes"}, c.args...))
			if c.answer != "" {
				expect(t, term, "This replaces the recovery codes of root, not of alice.")
				expect(t, term, `Replace them\? \[y/N\] `)
				if err := term.Type(c.answer); err != nil {
					t.Fatal(err)
				}
			}
			expect(t, term, c.then)
			if got := recordOf(t, root); (got != before) != c.changed {
				t.Errorf("the record is %q, before it was %q", got, before)
			}
		})
	}
}

func TestEnrollWithoutSudoOrWithUserAsksNothingMore(t *testing.T) {
	for name, c := range map[string]struct {
		invoker string
		args    []string
	}{
		"root itself": {"", nil}, "root by sudo": {"root", nil},
		"by name": {"alice", []string{"--user", "root"}},
	} {
		t.Run(name, func(t *testing.T) {
			term, _ := bySudo(t, c.invoker, c.args...)
			expect(t, term, "Type the code that the app shows now. Verification code: ")
			if strings.Contains(term.Seen(), "Set up root") {
				t.Errorf("it asked: %q", term.Seen())
			}
		})
	}
}
