package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/app/guide"
	"latchkey/enroll/app/otpauth"
	"latchkey/enroll/app/qr"
	"latchkey/pam/enrollment"
)

func TestEverythingFitsAWindowOf80ColumnsAnd24LinesWhateverTheNames(t *testing.T) {
	secret := enrollment.NewSecret("SHA1")
	const most = 999 * time.Second
	texts := []string{
		askTicket, wrongTicket, aTicket, guide.NotTheCode(0) + step2,
		guide.NotTheCode(-3570) + step2, hurry(time.Minute) + guide.NotTheCode(3570) + step2,
		hurry(time.Minute) + showCodes(make([]string, 10)), guide.Help + step2,
		guide.NotACode + step2,
	}
	for _, host := range []string{"web1", "a-rather-long-host-name.of.some.example.com",
		strings.Repeat("h", 64)} {
		for _, user := range []string{"al", "alice.of.the.north", strings.Repeat("u", 32)} {
			account := otpauth.Account{Host: host, User: user}
			texts = append(texts, intro+allotted(most)+stale+"\n"+plain(account, secret),
				plain(account, secret))
			for _, issuer := range []string{"", "Example & Sons: Ltd"} {
				account.Issuer = issuer
				prompt, err := drawn(guide.Drawing{Style: qr.Blocks}, account, secret)
				must(t, err)
				texts = append(texts, prompt)
			}
		}
	}
	for _, text := range texts {
		lines := strings.Split(text, "\n")
		if len(lines) > 24 {
			t.Errorf("got %d lines, want at most 24: %s", len(lines), text)
		}
		for i, line := range lines {
			room := columns + len(" ")
			if i == 0 { // behind "(user@host) "
				room = 80 - len("(alice.of.the.north@web1.example.com) ")
			}
			if n := len([]rune(line)); n > room {
				t.Errorf("got %d columns, want %d: %q", n, room, line)
			}
		}
	}
}

// The large drawing was asked for, by people whose client shows nothing better.
func TestTheLargeDrawingFitsEightyColumns(t *testing.T) {
	prompt, err := drawn(guide.Drawing{Style: qr.ASCII},
		otpauth.Account{Host: strings.Repeat("h", 64), User: "alice.of.the.north"},
		enrollment.NewSecret("SHA1"))
	must(t, err)
	for _, line := range strings.Split(prompt, "\n") {
		if len(line) > columns+len(" ") {
			t.Errorf("got %d columns: %q", len(line), line)
		}
	}
}

func TestNothingIsDrawnUnlessItIsAskedForAndThatIsNoTry(t *testing.T) {
	w := newWorld(t, "")
	words := []string{"small", `"Invert"`, " large ", "plain", "text", "qr", "help", "?", "sms",
		"hello"}
	var answers []func(*world) string
	for _, word := range words {
		answers = append(answers, text(word))
	}
	if o := w.login(append(answers, code, enter)...); !o.Allow || o.Tries != 1 {
		t.Errorf("got %+v, want one try", o)
	}
	for i, shows := range []string{"by hand", "▀", "▀", "[[[[", "by hand", "by hand", "▀",
		"plain    the secret", "plain    the secret", "not a code", "not a code"} {
		if !strings.Contains(w.prompts[i], shows) {
			t.Errorf("prompt %d: got %q, want %q in it", i, w.prompts[i], shows)
		}
	}
	for _, i := range []int{0, 4, 5, 7, 9} {
		if strings.Contains(w.prompts[i], "▀") || strings.Contains(w.prompts[i], "[[[[") {
			t.Errorf("prompt %d is drawn: %s", i, w.prompts[i])
		}
	}
	if w.prompts[1] == w.prompts[2] {
		t.Error("invert changed nothing")
	}
	if strings.Index(w.prompts[1], "by hand") > strings.Index(w.prompts[1], "▀") {
		t.Errorf("the secret stands below the drawing: %s", w.prompts[1])
	}
}

func TestWordsWithoutEndEndTheLogin(t *testing.T) {
	w := newWorld(t, "")
	many := make([]func(*world) string, words+codeTries)
	for i := range many {
		many[i] = text("small")
	}
	if o := w.login(many...); o.Allow || o.Tries != codeTries {
		t.Errorf("got %+v, want a denial after %d tries", o, codeTries)
	}
	w.untouched()
}

func TestTheSecondTrySaysToDeleteTheEntryOfTheFirst(t *testing.T) {
	w := newWorld(t, "")
	w.login(wrong)
	if strings.Contains(w.prompts[0], "Delete") {
		t.Errorf("the first try: got %q, which speaks of another", w.prompts[0])
	}
	first := w.device()
	w.login(wrong)
	if !strings.Contains(w.prompts[0], "Delete the entry that you made in the app before") {
		t.Errorf("got %q, want what to delete", w.prompts[0])
	}
	if second := w.device(); string(first.Secret) == string(second.Secret) {
		t.Error("the second try has the first one's secret")
	}
	w.login(code, enter)
	must(t, enrollment.Store{Keyring: w.keyring}.Reset(enrollment.ByRoot(), "alice"))
	w.login(wrong)
	if strings.Contains(w.prompts[0], "Delete") {
		t.Errorf("an enrollment that was completed: got %q", w.prompts[0])
	}
}

// A note that cannot be made keeps no one from enrolling.
func TestWithoutAPlaceForNotesUsersEnroll(t *testing.T) {
	w := newWorld(t, "")
	must(t, os.WriteFile(w.root+"/run", nil, 0o600))
	if o := w.login(code, enter); !o.Allow {
		t.Errorf("got %+v, want a login", o)
	}
}

func TestWhenLittleTimeIsLeftEachPromptSaysSo(t *testing.T) {
	w := newWorld(t, "")
	at := func(d time.Duration) func(*world) string {
		return func(w *world) string {
			w.later = d
			return "small"
		}
	}
	w.login(at(12*time.Minute), at(14*time.Minute), wrong)
	if strings.Contains(w.prompts[1], " left,") ||
		!strings.HasPrefix(w.prompts[2], "60 seconds left, then the connection ends.\n") ||
		!strings.HasPrefix(w.prompts[3], "60 seconds left") {
		t.Errorf("got %q", w.prompts)
	}
}
