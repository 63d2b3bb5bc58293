package flow_test

import (
	"errors"
	"slices"
	"testing"

	"latchkey/pam/enrollment"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/protocol"
)

const (
	sid      = "VE0123456789abcdef0123456789abcdef"
	number   = "+15551231234"
	sentCode = "271828"

	bothFirst     = "From your app, or type sms or call. Verification code: "
	bySMS         = "Sent by SMS to ...1234. Verification code: "
	byCall        = "Calling ...1234. Verification code: "
	phoneFirst    = "Type sms or call to get a code. Verification code: "
	recoveryFirst = "From your app, or a recovery code. Verification code: "
	recoveryWrong = "Not accepted. From your app, or a recovery code. Verification code: "

	bothWrong = "Not accepted. From your app, or sms or call. Verification code: "
)

// twilio is Twilio Verify as the flow sees it.
type twilio struct {
	world *world
	send  protocol.Answer
	check func(code string) protocol.Answer
	// sendTo and checkWith, if set, answer instead of send and check.
	sendTo    func(number string) protocol.Answer
	checkWith func(sid, code string) protocol.Answer
	asked     []string
	ready     error
}

func (v *twilio) Ready() error { return v.ready }

func (v *twilio) Send(number string, channel method.Method, locale string) protocol.Answer {
	v.asked = append(v.asked, string(channel)+" "+number+" "+locale)
	v.world.unlocked()
	if v.sendTo != nil {
		return v.sendTo(number)
	}
	return v.send
}

func (v *twilio) Check(number, sid, code string) protocol.Answer {
	v.asked = append(v.asked, "check "+number+" "+sid+" "+code)
	v.world.unlocked()
	if v.checkWith != nil {
		return v.checkWith(sid, code)
	}
	return v.check(code)
}

// unlocked demands that no one holds alice's state or the host's: the network or the user is being
// asked.
func (w *world) unlocked() {
	w.t.Helper()
	k := w.root.KeyringWaiting(safefile.Patience{})
	for _, open := range []func() (*state.File, error){
		func() (*state.File, error) { return k.States.Open("alice") },
		func() (*state.File, error) { return k.Host.Open("host") },
	} {
		f, err := open()
		if errors.Is(err, safefile.ErrBusy) && !w.held {
			w.t.Errorf("a lock is held while the network or the user is asked: %v", err)
		}
		if err == nil {
			f.Close()
		}
	}
}

func answer(r protocol.Result) protocol.Answer {
	return protocol.Answer{Version: protocol.Version, Result: r, SID: sid}
}

// rightCode approves the code that was sent, once.
func rightCode() func(string) protocol.Answer { return approves(sentCode) }

func approves(right string) func(string) protocol.Answer {
	used := false
	return func(code string) protocol.Answer {
		switch {
		case used:
			return answer(protocol.Gone)
		case code == right:
			used = true
			return answer(protocol.Approved)
		}
		return answer(protocol.Wrong)
	}
}

// newPhoneWorld is a world in which alice has these devices, and Twilio works.
func newPhoneWorld(t *testing.T, policy string, devices ...record.Device) *world {
	t.Helper()
	w := &world{t: t, root: testroot.New(t), phone: testroot.TOTP("app"), now: testroot.Noon}
	w.root.Policy(t, policy)
	if devices == nil {
		devices = []record.Device{w.phone, enrollment.NewPhone("mobile", number, testroot.Noon)}
	}
	for _, d := range devices {
		testroot.Must(t, w.root.Store().Add(enrollment.ByRoot(),
			record.User{Name: "alice", UID: uid}, d, 0))
	}
	w.twilio = &twilio{world: w, send: answer(protocol.Sent), check: rightCode()}
	return w
}

func onlyPhone() record.Device { return enrollment.NewPhone("mobile", number, testroot.Noon) }

// saw demands all prompts of a login.
func (w *world) saw(prompts ...string) {
	w.t.Helper()
	if !slices.Equal(w.shown, prompts) {
		w.t.Errorf("the user saw %q, not %q", w.shown, prompts)
	}
}

func (w *world) network(asked ...string) {
	w.t.Helper()
	if !slices.Equal(w.twilio.asked, asked) {
		w.t.Errorf("Twilio was asked %q, not %q", w.twilio.asked, asked)
	}
}
