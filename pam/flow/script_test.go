package flow_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/limit"
	"latchkey/pam/notify/event"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// The return values of Linux-PAM.
const (
	success     = 0
	systemErr   = 4
	authErr     = 7
	unavailable = 9
	unknownUser = 10
	maxTries    = 11
	convErr     = 19
)

const (
	uid        = 1000
	firstText  = "From your app. Verification code: "
	wrongText  = "Not accepted. From your app. Verification code: "
	replayText = "Used before: wait for the next code. Verification code: "
	sorryText  = "The second factor cannot be checked.\n" +
		"Ask your administrator to look into the log."
	resetText = "No second factor is set up for this account. Ask your administrator."
)

// world is a host with one user, alice, who has a phone, and a clock.
type world struct {
	t      *testing.T
	root   testroot.Root
	phone  record.Device
	now    time.Time
	groups func(string) (bool, error)
	shown  []string // what the user saw, prompts and texts
	later  []string // what the user sees when the session begins
	debug  []string
	held   bool     // the test itself holds a lock
	twilio *twilio  // codes by phone; nil if there should be none
	onAsk  func()   // happens while the user is asked
	told   []string // what the program of [notify] would be: its path, when, what and the detail
}

func newWorld(t *testing.T, policy string) *world {
	t.Helper()
	w := &world{t: t, root: testroot.New(t), phone: testroot.TOTP("phone"), now: testroot.Noon}
	w.root.Policy(t, policy)
	w.root.Enroll(t, "alice", uid, w.phone)
	return w
}

// request is alice's, by ssh.
func request(args ...string) flow.Request {
	return flow.Request{User: "alice", Name: "alice", UID: uid, Lookup: flow.Found,
		Service: "sshd", From: "192.0.2.7", Args: args}
}

// passwordAgain is what a script says when the user types the password.
const passwordAgain = "\x00password"

// noMore is what a script says when the user has nothing more to say.
const noMore = "\x00"

// login is one login in which the user types answers, one after the other. It is an error if some
// are left.
func (w *world) login(r flow.Request, answers ...string) verdict.Outcome {
	w.t.Helper()
	w.shown, w.told, w.later = nil, nil, nil
	user := &user{world: w, answers: answers}
	o := flow.Flow{
		Root: string(w.root), Authority: w.authority(safefile.Patience{}), Clock: w.clock,
		Talk: user, Notify: w.tell,
		Debug: func(text string) { w.debug = append(w.debug, text) },
	}.Run(r)
	if len(user.answers) > 0 {
		w.t.Errorf("%d answers were not asked for", len(user.answers))
	}
	return o
}

// crowd is the patience of a host on which many log in.
var crowd = safefile.Patience{Limit: time.Minute}

func (w *world) clock() time.Time { return w.now }

// authority is the host itself, or a wire away.
func (w *world) authority(patience safefile.Patience) authority.Authority {
	local := &authority.Local{Keyring: w.root.KeyringWaiting(patience), Verifier: w.twilio,
		Clock: w.clock}
	if overWire {
		return wired{local}
	}
	return local
}

func (w *world) tell(program string, e event.Event) {
	w.told = append(w.told, program+" "+e.Time+" "+string(e.Kind)+" "+e.Detail)
}

// code is what alice's phone shows now.
func (w *world) code() string { return testroot.Code(w.t, w.phone, w.now) }

// wrongs are n codes that it does not show.
func (w *world) wrongs(n int) []string { return testroot.WrongCodes(w.t, n, w.now, w.phone) }

// wrong is a code it does not show.
func (w *world) wrong() string { return testroot.WrongCode(w.t, w.now, w.phone) }

// advised is how the text begins that follows the last refusal.
const advised = "What may help:\n"

// expect demands an outcome: what it came to, what PAM is told, and what the user saw last, advice
// apart.
func (w *world) expect(o verdict.Outcome, allow bool, reason verdict.Reason, pam int,
	lastShown string) {
	w.t.Helper()
	if o.Allow != allow || o.Reason != reason || o.PAM() != pam {
		w.t.Errorf("outcome is %+v, PAM %d; it should be allow %v, %s, PAM %d", o, o.PAM(), allow,
			reason, pam)
	}
	last := ""
	for _, text := range w.shown {
		if !strings.HasPrefix(text, advised) {
			last = text
		}
	}
	if last != lastShown {
		w.t.Errorf("the user saw %q, not %q", last, lastShown)
	}
}

func (w *world) detail(o verdict.Outcome, says string) {
	w.t.Helper()
	if !strings.Contains(o.Detail, says) {
		w.t.Errorf("the log says %q; it should say %q", o.Detail, says)
	}
}

// failures is how many guesses are charged to alice.
func (w *world) failures() int {
	w.t.Helper()
	return len(w.state().Failures)
}

func (w *world) state() *state.State {
	w.t.Helper()
	st, err := w.root.Keyring().States.View("alice")
	testroot.Must(w.t, err)
	return st
}

// untouched demands that nothing of alice's changes until the test ends.
func (w *world) untouched() {
	w.t.Helper()
	testroot.Unchanged(w.t, w.root.Record("alice"))
	testroot.Unchanged(w.t, w.root.State("alice"))
}

// user is the one typing the answers.
type user struct {
	*world
	answers []string
}

func (u *user) Ask(prompt string) (string, error) {
	u.unlocked()
	u.shown = append(u.shown, prompt)
	if u.onAsk != nil {
		u.onAsk()
	}
	if len(u.answers) == 0 {
		return "", errors.New("the test has no answer to " + prompt)
	}
	answer := u.answers[0]
	u.answers = u.answers[1:]
	if answer == passwordAgain {
		return "", flow.ErrPassword
	}
	if answer == noMore {
		return "", fmt.Errorf("%w: cancelled", flow.ErrConversation)
	}
	return answer, nil
}

func (u *user) Tell(text string) error {
	u.unlocked()
	u.shown = append(u.shown, text)
	return nil
}

func (u *user) TellLater(text string) error {
	u.unlocked()
	u.later = append(u.later, text)
	return nil
}

func (u *user) InGroup(group string) (bool, error) {
	if u.groups == nil {
		return false, errors.New("the test has no groups")
	}
	return u.groups(group)
}

var _ flow.Conversation = (*user)(nil)

// limits are those of an empty policy.
var limits = limit.Guesses{Failures: limit.Rate{Count: 10, Window: 10 * time.Minute},
	Lock: 15 * time.Minute}
