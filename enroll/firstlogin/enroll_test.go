package main

import (
	"encoding/base32"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/factor/oath"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/session"
)

const uid = 1000

var noon = time.Date(2027, 1, 31, 12, 0, 15, 0, time.UTC)

// world is a host on which alice has no second factor, and her side of the conversation.
type world struct {
	t       *testing.T
	root    string
	keyring factor.Keyring
	prompts []string // asked
	told    []string
	answers []func(*world) string
	later   time.Duration // than noon it is
}

func newWorld(t *testing.T, policy string) *world {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"/etc/latchkey/users", "/var/lib/latchkey/users"} {
		must(t, os.MkdirAll(root+dir, 0o755))
	}
	must(t, os.WriteFile(root+"/etc/latchkey/latchkey.toml",
		[]byte("unenrolled = \"enroll\"\n"+policy), 0o644))
	return &world{t: t, root: root, keyring: factor.NewKeyring(root,
		safefile.Patience{Limit: time.Minute})}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// login is one login of alice's, in which she gives these answers; after the last she is gone.
func (w *world) login(answers ...func(*world) string) verdict.Outcome {
	w.prompts, w.told, w.answers = nil, nil, answers
	f := flow.Flow{Root: w.root, Clock: w.clock, Talk: w,
		Authority: &authority.Local{Keyring: w.keyring, Clock: w.clock}}
	r := flow.Request{User: "alice", Name: "alice", UID: uid, Lookup: flow.Found,
		Service: "sshd", From: "192.0.2.7"}
	o := f.Run(r)
	if o.Reason == verdict.MustEnroll {
		o = enroll(session.Enrolling{Flow: f, Keyring: &w.keyring, Request: r,
			Policy: o.Policy})
	}
	if len(w.answers) > 0 {
		w.t.Errorf("%d answers were not asked for", len(w.answers))
	}
	return o
}

func (w *world) clock() time.Time { return noon.Add(w.later) }

func (w *world) Ask(prompt string) (string, error) {
	w.prompts = append(w.prompts, prompt)
	if len(w.answers) == 0 {
		return "", flow.ErrConversation
	}
	next := w.answers[0]
	w.answers = w.answers[1:]
	return next(w), nil
}

func (w *world) Tell(text string) error             { w.told = append(w.told, text); return nil }
func (w *world) TellLater(text string) error        { return w.Tell(text) }
func (w *world) InGroup(string) (bool, error)       { return false, errors.New("no groups here") }
func text(s string) func(*world) string             { return func(*world) string { return s } }
func (w *world) seen() string                       { return strings.Join(w.prompts, "\n\n") }
func enter(*world) string                           { return "" }
func code(w *world) string                          { return w.codeAt(0) }
func (w *world) codeAt(offset time.Duration) string { return w.shown(noon.Add(offset)) }
func late(d time.Duration) func(w *world) string {
	return func(w *world) string { return w.codeAt(d) }
}
func wrong(w *world) string { return w.codeAt(24 * time.Hour) }

var secretShown = regexp.MustCompile(`by hand: ([A-Z2-7 ]+)\n`)

// device is the app after alice has typed the secret in that she saw last.
func (w *world) device() record.Device {
	w.t.Helper()
	all := secretShown.FindAllStringSubmatch(w.seen(), -1)
	if all == nil {
		w.t.Fatalf("no secret was shown: %q", w.prompts)
	}
	unpadded := base32.StdEncoding.WithPadding(base32.NoPadding)
	secret, err := unpadded.DecodeString(strings.ReplaceAll(all[len(all)-1][1], " ", ""))
	must(w.t, err)
	return enrollment.NewTOTP("app", secret, "SHA1", 6, 30*time.Second, noon)
}

func (w *world) shown(at time.Time) string {
	d := w.device()
	c, err := oath.Code(&d, oath.Step(&d, at))
	must(w.t, err)
	return c
}

// untouched demands that alice has nothing.
func (w *world) untouched() {
	w.t.Helper()
	if _, err := w.keyring.Open(record.User{Name: "alice", UID: uid}); !errors.Is(err,
		factor.ErrUnenrolled) {
		w.t.Errorf("she has something: %v", err)
	}
	files, err := filepath.Glob(w.root + "/*/latchkey/users/*")
	must(w.t, err)
	if len(files) > 0 {
		w.t.Errorf("there are %q", files)
	}
}

func TestTheFirstLoginEnrollsAndTheSecondAsksForACode(t *testing.T) {
	w := newWorld(t, "")
	o := w.login(code, enter)
	if !o.Allow || o.Reason != verdict.OK || o.Method != "totp" || o.Device != "app" ||
		o.Tries != 1 || o.PAM() != 0 {
		t.Fatalf("%+v", o)
	}
	for _, says := range []string{"Step 1 of 3", "Step 2 of 3", "Step 3 of 3", "alice on ",
		"You have 15 minutes for it."} {
		if !strings.Contains(w.seen(), says) {
			t.Errorf("no %q in %q", says, w.seen())
		}
	}
	if regexp.MustCompile(`[^\n\x20-\x7e]`).MatchString(w.seen()) {
		t.Errorf("not every client shows %q", w.seen())
	}
	d := w.device()
	printed := regexp.MustCompile(`\b[0-9a-z]{5}-[0-9a-z]{5}\b`).FindAllString(w.seen(), -1)
	if len(printed) != enrollment.RecoveryCodes {
		t.Fatalf("%d recovery codes", len(printed))
	}
	same, err := oath.Code(&d, oath.Step(&d, noon))
	must(t, err)
	o = w.login(text(same))
	if o.Allow || !strings.Contains(w.prompts[1], "Used before") {
		t.Errorf("the code that confirmed it is good again: %+v", o)
	}
	if o := w.login(text(printed[7])); !o.Allow || o.Method != "recovery" {
		t.Errorf("a recovery code: %+v", o)
	}
}

func TestNothingIsKeptBeforeACodeOfTheNewDeviceWasTyped(t *testing.T) {
	for name, answers := range map[string][]func(*world) string{
		"gone at once":         nil,
		"gone after a mistake": {wrong},
		"five wrong codes":     {wrong, text("123"), text(""), wrong, text("no")},
		"sshd's own answer":    {text("\b\n\r\177INCORRECT")},
	} {
		w := newWorld(t, "")
		if o := w.login(answers...); o.Allow || o.PAM() == 0 {
			t.Errorf("%s: %+v", name, o)
		}
		w.untouched()
	}
}

// As at a login of users who have enrolled, those who are refused for good see whom to ask.
func TestRefusedEnrollmentSaysWhomToAskAndADisconnectSaysNothing(t *testing.T) {
	const help = "Help desk: +1 555 0100"
	five := []func(*world) string{wrong, text("123"), text(""), wrong, wrong}
	three := []func(*world) string{text("00000-00000"), text("11111-11111"), text("22222-22222")}
	for name, c := range map[string]struct {
		policy  string
		answers []func(*world) string
		want    []string
	}{
		"five wrong codes":    {"", five, []string{gaveUp, help}},
		"three wrong tickets": {"enroll_ticket = true\n", three, []string{noTicket, help}},
		"too many of them": {"enroll_ticket = true\n[limits]\nfailures = \"2/10m\"\n",
			three, []string{locked, help}},
		"gone": {"", five[:2], nil},
	} {
		w := newWorld(t, "help = \""+help+"\"\n"+c.policy)
		if c.policy != "" {
			w.invited()
		}
		if o := w.login(c.answers...); o.Allow || !slices.Equal(w.told, c.want) {
			t.Errorf("%s: got %+v, told %q; want %q", name, o, w.told, c.want)
		}
	}
	w := newWorld(t, "help = \""+help+"\"\n")
	if o := w.login(code, enter); !o.Allow || len(w.told) > 0 {
		t.Errorf("got %+v, told %q; want nothing after a right code", o, w.told)
	}
}

func TestDisconnectAtRecoveryCodesLeavesUserEnrolledButDenied(t *testing.T) {
	w := newWorld(t, "")
	if o := w.login(code); o.Allow || o.Reason != verdict.NoAnswer {
		t.Errorf("%+v", o)
	}
	account, err := w.keyring.Open(record.User{Name: "alice", UID: uid})
	must(t, err)
	defer account.Close()
	if account.RecoveryLeft() != enrollment.RecoveryCodes {
		t.Errorf("%d recovery codes", account.RecoveryLeft())
	}
}

func TestAWrongClockIsTold(t *testing.T) {
	w := newWorld(t, "")
	w.login(late(-10*time.Minute), late(5*time.Minute), wrong)
	for i, says := range []string{"about 600 seconds old:\nyour phone's clock is slow",
		"about 300 seconds early", "Check that you chose this account"} {
		if !strings.Contains(w.prompts[i+1], says) {
			t.Errorf("%q does not say %q", w.prompts[i+1], says)
		}
	}
	w.untouched()
}

// invited gives alice a ticket.
func (w *world) invited() (ticket string) {
	w.t.Helper()
	ticket, g, err := enrollment.NewOneTimeCode(noon.Add(time.Hour))
	must(w.t, err)
	must(w.t, enrollment.Store{Keyring: w.keyring}.SetTicket(enrollment.ByRoot(),
		record.User{Name: "alice", UID: uid}, g))
	return ticket
}

func TestWithATicketTheFirstLoginEnrollsOnce(t *testing.T) {
	w := newWorld(t, "enroll_ticket = true\n")
	ticket := w.invited()
	if o := w.login(text("00000-00000"), text("nothing like a ticket"),
		text(strings.ToUpper(ticket)), code, enter); !o.Allow {
		t.Fatalf("%+v", o)
	}
	must(t, enrollment.Store{Keyring: w.keyring}.Reset(enrollment.ByRoot(), "alice"))
	if o := w.login(text(ticket), text(ticket), text(ticket)); o.Allow ||
		o.Reason != verdict.Wrong {
		t.Errorf("a second time: %+v", o)
	}
}

func TestThePasswordWithoutTheTicketEnrollsNoOneAndShowsNoSecret(t *testing.T) {
	for name, invited := range map[string]bool{"invited": true, "not invited": false} {
		w := newWorld(t, "enroll_ticket = true\n")
		if invited {
			w.invited()
		}
		o := w.login(text("00000-00000"), text("help"), text("11111-11111"), text("?"), text(""))
		if o.Allow || o.Reason != verdict.Wrong || strings.Contains(w.seen(), "by hand") ||
			strings.Contains(w.seen(), "#[#[") {
			t.Errorf("%s: %+v, %q", name, o, w.prompts)
		}
		if _, err := w.keyring.Records.Load(record.User{Name: "alice",
			UID: uid}); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: there is a record: %v", name, err)
		}
	}
}

func TestGuessingTicketsLocks(t *testing.T) {
	w := newWorld(t, "enroll_ticket = true\n[limits]\nfailures = \"2/10m\"\n")
	ticket := w.invited()
	o := w.login(text("00000-00000"), text("11111-11111"), text(ticket))
	if o.Allow || o.Reason != verdict.Locked || len(w.told) != 1 {
		t.Errorf("%+v, %q", o, w.told)
	}
}

func TestATicketThatIsTakenBackMeanwhileEnrollsNoOne(t *testing.T) {
	w := newWorld(t, "enroll_ticket = true\n")
	ticket := w.invited()
	o := w.login(text(ticket), func(w *world) string {
		w.invited() // another one
		return code(w)
	})
	if o.Allow || o.Reason != verdict.Unenrolled || w.told[0] != ticketOff {
		t.Errorf("%+v, %q", o, w.told)
	}
}

func TestTakingTooLongEnrollsNoOne(t *testing.T) {
	after := func(d time.Duration) func(*world) string {
		return func(w *world) string {
			w.later = d
			return w.codeAt(d)
		}
	}
	w := newWorld(t, "")
	if o := w.login(after(time.Hour)); o.Allow || o.Reason != verdict.Unenrolled ||
		w.told[0] != tooLong {
		t.Errorf("%+v, %q", o, w.told)
	}
	w.untouched()
	if o := newWorld(t, "").login(after(14*time.Minute), enter); !o.Allow {
		t.Errorf("%+v", o)
	}
	w = newWorld(t, "enroll_ticket = true\n")
	ticket := w.invited() // for an hour
	w.later = 50 * time.Minute
	if o := w.login(text(ticket), after(62*time.Minute)); o.Allow ||
		o.Reason != verdict.Unenrolled || w.told[0] != ticketOff {
		t.Errorf("%+v, %q", o, w.told)
	}
}

func TestOfTwoEnrollmentsAtOnceTheFirstCounts(t *testing.T) {
	w := newWorld(t, "")
	o := w.login(func(w *world) string {
		other := enrollment.NewTOTP("hers", enrollment.NewSecret("SHA1"), "SHA1", 6,
			30*time.Second, noon)
		must(w.t, enrollment.Store{Keyring: w.keyring}.Add(enrollment.ByRoot(),
			record.User{Name: "alice", UID: uid}, other, 0))
		return code(w)
	})
	if o.Allow || o.Reason != verdict.Unenrolled || w.told[0] != meanwhile {
		t.Errorf("%+v, %q", o, w.told)
	}
}

func TestWhatCannotBeSavedIsDenied(t *testing.T) {
	for name, dir := range map[string]string{"record": "/etc/latchkey/users",
		"state": "/var/lib/latchkey/users"} {
		w := newWorld(t, "")
		o := w.login(func(w *world) string {
			c := code(w)
			must(w.t, os.Chmod(w.root+dir, 0o777)) // anybody could have put something there
			return c
		})
		if o.Allow || o.PAM() == 0 || len(w.told) != 1 || w.told[0] != notSaved {
			t.Errorf("%s: %+v, %q", name, o, w.told)
		}
	}
}

func TestARuleWithoutAppsDoesNotEnroll(t *testing.T) {
	w := newWorld(t, "[[rule]]\nrequire = \"code\"\nmethods = [\"sms\", \"recovery\"]\n")
	if o := w.login(); o.Allow || o.Reason != verdict.Unenrolled || len(w.prompts) > 0 {
		t.Errorf("%+v", o)
	}
	w.untouched()
}

func TestARuleThatDeniesDoesNotEnroll(t *testing.T) {
	w := newWorld(t, "[[rule]]\nrequire = \"deny\"\n")
	if o := w.login(); o.Allow || o.Reason != verdict.Forbidden || len(w.prompts) > 0 {
		t.Errorf("%+v", o)
	}
}
