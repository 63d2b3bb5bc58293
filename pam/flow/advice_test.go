package flow_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/pam/flow/verdict"
	"latchkey/pam/testroot"
)

// codeAt is what the app shows at another time than now.
func (w *world) codeAt(d time.Duration) string { return testroot.Code(w.t, w.phone, w.now.Add(d)) }

// advice is what the user was told after the last refusal.
func (w *world) advice() string {
	last := w.shown[len(w.shown)-1]
	if !strings.HasPrefix(last, advised) {
		return ""
	}
	return strings.TrimPrefix(last, advised)
}

const (
	noDrift  = "App: set your phone's clock to the network's time. Codes depend on it."
	setClock = "\nSet the phone's clock to the network's time."
)

func TestAfterTheLastRefusalTheUserIsToldWhatMayHelp(t *testing.T) {
	const minutes = 5 * time.Minute
	for name, c := range map[string]struct {
		codes func(w *world) []string
		want  string
	}{
		"wrong codes": {func(w *world) []string { return w.wrongs(3) }, noDrift},
		"a slow clock": {func(w *world) []string {
			return []string{w.codeAt(-minutes), w.wrongs(2)[0], w.wrongs(2)[1]}
		},
			"Your phone's clock is about 300 seconds slow, or this host's is fast." + setClock},
		"a slow clock, the same code again": {func(w *world) []string {
			return []string{w.codeAt(-minutes), w.codeAt(-minutes), w.codeAt(-minutes)}
		},
			"Your phone's clock is about 300 seconds slow, or this host's is fast." + setClock},
		"a fast clock": {func(w *world) []string {
			return []string{w.codeAt(minutes), w.codeAt(minutes + 30*time.Second), w.wrong()}
		}, "Your phone's clock is about 330 seconds fast, or this host's is slow." + setClock},
		"one code that is still to come": {func(w *world) []string {
			return []string{w.codeAt(minutes), w.wrongs(2)[0], w.wrongs(2)[1]}
		}, noDrift},
		"the same code that is still to come": {func(w *world) []string {
			return []string{w.codeAt(minutes), w.codeAt(minutes), w.codeAt(minutes)}
		}, noDrift},
		"two codes to come that do not agree": {func(w *world) []string {
			return []string{w.codeAt(minutes), w.codeAt(4 * minutes), w.wrong()}
		}, noDrift},
		"more than an hour": {func(w *world) []string {
			return []string{w.codeAt(-2 * time.Hour), w.wrongs(2)[0], w.wrongs(2)[1]}
		}, noDrift},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			o := w.login(request(), c.codes(w)...)
			if o.Allow || o.Reason != verdict.Wrong || w.advice() != c.want {
				t.Errorf("got %+v and %q, want a refusal and %q", o, w.advice(), c.want)
			}
		})
	}
}

// A code that is refused because of a clock stays refused, even once the user knows why.
func TestTheAdviceLetsNoOneIn(t *testing.T) {
	w := newWorld(t, "")
	for range 2 {
		o := w.login(request(), w.codeAt(-5*time.Minute), w.codeAt(-6*time.Minute),
			w.codeAt(-7*time.Minute))
		if o.Allow || w.advice() == "" {
			t.Errorf("got %+v and %q", o, w.advice())
		}
	}
	if got := w.failures(); got != 6 {
		t.Errorf("got %d failures, want 6: each guess is charged", got)
	}
}

func TestTheAdviceNamesRecoveryCodesAndHelpIfThereAreAny(t *testing.T) {
	w, _ := newRecoveryWorld(t, "help = \"Help desk: +1 555 0100\"")
	w.login(request(), w.wrongs(3)...)
	if want := noDrift + "\nA recovery code works in place of any other code.\n" +
		"Help desk: +1 555 0100"; w.advice() != want {
		t.Errorf("got %q, want %q", w.advice(), want)
	}
	w = newWorld(t, "")
	// no codes of the user's, so nothing is known about a clock
	w.login(request(), "12345", "1234567", "12345")
	if last := w.shown[len(w.shown)-1]; last != wrongText {
		t.Errorf("got %q, want %q and no advice", last, wrongText)
	}
}

func TestHelpIsShownWithEveryRefusalThatEndsALogin(t *testing.T) {
	const help = "help = \"Help desk: +1 555 0100\"\n"
	for name, c := range map[string]struct {
		policy, says string
		unenrolled   bool
	}{
		"denied by a rule": {help + "[[rule]]\nrequire = \"deny\"", "You may not log in here.",
			false},
		"nothing usable": {help + "[[rule]]\nrequire = \"code\"\nmethods = [\"hotp\"]",
			"None of your second factors", false},
		"not enrolled": {help, "No second factor is set up", true},
	} {
		w := newWorld(t, c.policy)
		r := request()
		if c.unenrolled {
			r.User, r.Name, r.UID = "bob", "bob", uid+1
		}
		o := w.login(r)
		if o.Allow || o.PAM() != maxTries || len(w.shown) != 2 ||
			!strings.HasPrefix(w.shown[0], c.says) || w.shown[1] != "Help desk: +1 555 0100" {
			t.Errorf("%s: got %+v, %q", name, o, w.shown)
		}
	}
	w := newWorld(t, help+"[limits]\nfailures = \"1/10m\"")
	w.login(request(), w.wrong())
	if w.login(request()); len(w.shown) != 2 || w.shown[1] != "Help desk: +1 555 0100" {
		t.Errorf("locked: got %q", w.shown)
	}
}

func TestAUserWhoIsLetInOrHangsUpGetsNoAdvice(t *testing.T) {
	w := newWorld(t, "help = \"Help desk\"")
	for _, answers := range [][]string{{w.wrong(), w.code()}, {w.wrong(), noMore}} {
		w.login(request(), answers...)
		for _, text := range w.shown {
			if strings.Contains(text, "What may help") || strings.Contains(text, "Help desk") {
				t.Errorf("got %q", w.shown)
			}
		}
	}
}
