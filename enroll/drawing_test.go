package main

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/enroll/app/otpauth"
	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// shownOn is enroll on a terminal of that size with that environment, up to the prompt for a code.
func shownOn(t *testing.T, exe string, columns, rows int, env string,
	args ...string) *terminal.Terminal {
	t.Helper()
	argv := append(append([]string{"env", "-i"}, strings.Fields(env)...), exe)
	term := started(t, columns, rows, append(argv, args...))
	expect(t, term, `Type the code that the app shows now. Verification code: $`)
	return term
}

var uriOf = regexp.MustCompile(`^otpauth://totp/\S+secret=([A-Z2-7]+)$`)

// scanned demands that zbar reads off the screen the same secret as stands there for typing it by
// hand.
func scanned(t *testing.T, screen terminal.Screen, written string) {
	t.Helper()
	text, err := screen.Scan(written)
	if err != nil {
		t.Fatalf("%v: %s", err, written)
	}
	u, read := suite.User{}, uriOf.FindStringSubmatch(text)
	if err := u.ReadSecret(written); err != nil || read == nil || read[1] != u.Secret {
		t.Errorf("zbar reads %q, and by hand it is %q, %v", text, u.Secret, err)
	}
}

func TestTheDrawingIsReadOffTheScreenTogetherWithThePrompt(t *testing.T) {
	exe, _ := underRoot(t)
	for name, c := range map[string]struct {
		columns, rows int
		env           string
		light         bool
		args          []string
		color         bool
		drawn         string // what it consists of
	}{
		"80x24, dark": {80, 24, "TERM=xterm LANG=C.UTF-8", false, nil, true,
			"▀"},
		"80x24, light": {80, 24, "TERM=xterm LC_ALL=C.UTF-8", true, nil, true,
			"▀"},
		"80x24, add": {80, 24, "TERM=xterm LANG=C.UTF-8", false,
			[]string{"add", "totp"}, true, "▀"},
		"80x45, SHA256, 8 digits": {80, 45, "TERM=xterm LANG=C.UTF-8", false,
			[]string{"--algorithm", "SHA256", "--digits", "8"}, true, "▀"},
		"80x24, NO_COLOR": {80, 24, "TERM=xterm LANG=C.UTF-8 NO_COLOR=yes!",
			false, nil, false, "▀"},
		"80x24, a dumb terminal": {80, 24, "TERM=dumb LANG=C.UTF-8", false, nil, false,
			"▀"},
		"80x24, no terminal is named": {80, 24, "LANG=C.UTF-8", false, nil, false, "▀"},
		"narrow": {37, 24, "TERM=xterm LANG=C.UTF-8", false, nil, true,
			"▀"},
		"80x40, --ascii": {80, 40, "TERM=xterm LANG=C.UTF-8", false,
			[]string{"--ascii"}, true, "    \x1b[47m"},
		"80x40, --ascii, light": {80, 40, "TERM=xterm LANG=C.UTF-8", true,
			[]string{"--ascii"}, true, "    \x1b[47m"},
		"80x40, --ascii, NO_COLOR": {80, 40, "TERM=xterm LANG=C.UTF-8 NO_COLOR=1", false,
			[]string{"--ascii"}, false, "#["},
		"80x40, the C locale": {80, 40, "TERM=xterm LC_ALL=C LANG=C.UTF-8", false,
			nil, true, "    \x1b[47m"},
		"80x40, no locale and no colors": {80, 40, "TERM=dumb", false, nil, false, "#["},
	} {
		t.Run(name, func(t *testing.T) {
			term := shownOn(t, exe, c.columns, c.rows, c.env, c.args...)
			seen := term.Seen()
			scanned(t, terminal.Screen{Columns: c.columns, Rows: c.rows, Light: c.light}, seen)
			if strings.Contains(seen, "\x1b") != c.color || !strings.Contains(seen, c.drawn) {
				t.Errorf("seen: %q", seen)
			}
			if strings.Contains(strings.ReplaceAll(seen, "\x1b[0m", ""), "\x1b") &&
				!strings.Contains(seen[strings.LastIndex(seen, "\x1b["):], "\x1b[0m") {
				t.Errorf("the last color is not ended: %q", seen)
			}
		})
	}
}

func TestAUserWhoseAppCannotReadTheDrawingGetsAnother(t *testing.T) {
	exe, root := underRoot(t)
	term := shownOn(t, exe, 80, 45, "TERM=dumb LANG=C.UTF-8")
	before := term.Seen()
	if _, err := (terminal.Screen{Columns: 80, Rows: 45, Light: true}).Scan(before); err == nil {
		t.Fatal("zbar reads a negative: this test shows nothing")
	}
	for _, word := range []string{"invert", `"LARGE"`, " small ", "again"} {
		typed(t, term, word)
		expect(t, term, `Type the code that the app shows now. Verification code: $`)
		scanned(t, terminal.Screen{Columns: 80, Rows: 45, Light: true}, term.Seen())
	}
	if got := recordOf(t, root); got != "" {
		t.Errorf("saved: %s", got)
	}
}

func TestAWindowThatIsTooNarrowIsToldAndMadeLarger(t *testing.T) {
	exe, _ := underRoot(t)
	term := shownOn(t, exe, 30, 24, "TERM=xterm LANG=C.UTF-8")
	if seen := term.Seen(); !strings.Contains(seen, "too narrow for the QR code, which takes "+
		"33 columns and 17 lines") || strings.Contains(seen, "▀") {
		t.Errorf("seen: %s", seen)
	}
	if err := term.Resize(80, 24); err != nil {
		t.Fatal(err)
	}
	typed(t, term, "again")
	expect(t, term, `Type the code that the app shows now. Verification code: $`)
	scanned(t, terminal.Screen{Columns: 80, Rows: 24}, term.Seen())
	if strings.Contains(term.Seen(), "Taller") {
		t.Errorf("it is not: %s", term.Seen())
	}
}

func TestADrawingThatIsTallerThanTheWindowIsDrawnAndSaysSo(t *testing.T) {
	exe, _ := underRoot(t)
	term := shownOn(t, exe, 80, 24, "TERM=xterm LANG=C.UTF-8", "--ascii")
	if !strings.Contains(term.Seen(),
		`Taller than your window? Make the window larger and type "again".`) {
		t.Errorf("seen: %s", term.Seen())
	}
	if err := term.Resize(80, 40); err != nil {
		t.Fatal(err)
	}
	typed(t, term, "000")
	expect(t, term, `(?s)Check that you chose this account in the app.*`+
		`Type the code that the app shows now. Verification code: $`)
	typed(t, term, "again")
	expect(t, term, `(?s)Step 1 of 3.*Type the code that the app shows now. Verification code: $`)
	scanned(t, terminal.Screen{Columns: 80, Rows: 40}, term.Seen())
	if strings.Count(term.Seen(), "Check that you chose this account") != 1 {
		t.Errorf("it says again that the code was wrong: %s", term.Seen())
	}
}

func TestPlainDrawsNothingAndUsesNoColors(t *testing.T) {
	exe, root := underRoot(t)
	term := shownOn(t, exe, 80, 24, "TERM=xterm LANG=C.UTF-8", "--plain")
	for _, r := range term.Seen() {
		if r > '~' || r < ' ' && r != '\n' {
			t.Fatalf("%q in %q", r, term.Seen())
		}
	}
	uri := regexp.MustCompile(`otpauth://\S+secret=([A-Z2-7]+)\n`).FindStringSubmatch(term.Seen())
	d := byHand(t, term)
	if uri == nil || uri[1] != strings.ReplaceAll(otpauth.Grouped(d.Secret), " ", "") ||
		strings.Contains(term.Seen(), "  ") {
		t.Errorf("seen: %s", term.Seen())
	}
	for word, says := range map[string]string{
		"invert": "Step 1 of 3", "text": "by hand: ", "help": "small +a QR code",
		"?": "plain +the secret", "sms": "That is not a code",
	} {
		typed(t, term, word)
		expect(t, term, says)
		expect(t, term, `Verification code: $`)
	}
	if strings.Contains(term.Seen(), "Check that you chose this account") {
		t.Errorf("a word was taken for a wrong code: %s", term.Seen())
	}
	typed(t, term, codeAt(t, d, 0))
	expect(t, term, `(    [0-9a-z]{5}-[0-9a-z]{5}\r\n){10}`)
	exits(t, term, exitDone)
	if strings.Contains(term.Seen(), "\x1b") || recordOf(t, root) == "" {
		t.Errorf("seen: %q", term.Seen())
	}
}

// pictureOf is the file's mode and what zbar reads in it.
func pictureOf(t *testing.T, path string) (mode os.FileMode, text string) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	picture, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text, err = terminal.ScanPNG(picture); err != nil {
		t.Fatal(err)
	}
	return info.Mode(), text
}

func TestAPictureIsForItsOwnerAloneAndStaysOnlyOfWhatWasSaved(t *testing.T) {
	exe, _ := underRoot(t)
	path := t.TempDir() + "/code.png"
	for name, end := range map[string]func(*terminal.Terminal){
		"three wrong codes": func(term *terminal.Terminal) {
			for range confirmTries {
				typed(t, term, "1")
			}
		},
		"end of input": func(term *terminal.Terminal) { typed(t, term, "\x04") },
	} {
		t.Run(name, func(t *testing.T) {
			term := shownOn(t, exe, 80, 24, "TERM=xterm LANG=C.UTF-8", "--png", path)
			if mode, text := pictureOf(t, path); mode != 0o600 || !uriOf.MatchString(text) {
				t.Errorf("mode %v, zbar reads %q", mode, text)
			}
			end(term)
			exits(t, term, exitFailed)
			if _, err := os.Stat(path); !os.IsNotExist(err) {
				t.Errorf("it is still there: %v", err)
			}
		})
	}
	for name, end := range map[string]func(*terminal.Terminal){
		"interrupted": func(term *terminal.Terminal) { typed(t, term, "\x03") },
		"hung up":     func(term *terminal.Terminal) { term.Signal(unix.SIGHUP) },
	} {
		t.Run(name, func(t *testing.T) {
			term := shownOn(t, exe, 80, 24, "TERM=xterm LANG=C.UTF-8", "--png", path)
			// A signal may come while enroll is root, and by then the name may be another file's.
			aside := path + ".aside"
			if err := errors.Join(os.Rename(path, aside),
				os.WriteFile(path, []byte("precious"), 0o600)); err != nil {
				t.Fatal(err)
			}
			end(term)
			exits(t, term, exitFailed)
			precious, err := os.ReadFile(path)
			secret, err2 := os.ReadFile(aside)
			if err != nil || err2 != nil || string(precious) != "precious" || len(secret) > 0 {
				t.Errorf("%q, %v; of the picture %d bytes are left, %v", precious, err,
					len(secret), err2)
			}
			if err := errors.Join(os.Remove(path), os.Remove(aside)); err != nil {
				t.Fatal(err)
			}
		})
	}
	for name, end := range map[string]func(*terminal.Terminal){
		"interrupted": func(term *terminal.Terminal) { typed(t, term, "\x03") },
		"hung up":     func(term *terminal.Terminal) { term.Signal(unix.SIGHUP) },
	} {
		term := shownOn(t, exe, 80, 24, "TERM=xterm LANG=C.UTF-8", "--png", path)
		end(term)
		exits(t, term, exitFailed)
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s: the picture is still there: %v", name, err)
		}
	}
	term := shownOn(t, exe, 80, 24, "TERM=xterm LANG=C.UTF-8", "add", "totp", "--png", path)
	if strings.Contains(term.Seen(), "▀") {
		t.Errorf("it was drawn as well: %s", term.Seen())
	}
	d := byHand(t, term)
	typed(t, term, codeAt(t, d, 0))
	expect(t, term, `warning: .*code\.png holds the secret`)
	exits(t, term, exitDone)
	if _, text := pictureOf(t, path); !strings.Contains(text,
		strings.ReplaceAll(otpauth.Grouped(d.Secret), " ", "")) {
		t.Errorf("zbar reads %q", text)
	}
}
