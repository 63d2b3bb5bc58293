package activate

import (
	"errors"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/activate/journal"
	"latchkey/enroll/activate/session"
	"latchkey/pam/method"
	"latchkey/pam/state"
)

// proof finds a login that began a second after sshd had its new configuration, and was let in by
// a code two seconds after.
func (r *rig) proof(edits ...func(*Login)) func() (Login, error) {
	return func() (Login, error) {
		j, err := r.Store.Load()
		if err != nil {
			return Login{}, err
		}
		now := j.InForce
		now.Up, now.Wall = now.Up+5*time.Second, now.Wall.Add(5*time.Second)
		l := Login{Session: session.Session{UID: 1000, Began: j.InForce.Up + time.Second},
			User: "alice", Now: now, Came: j.InForce.Wall.Add(2 * time.Second),
			Accepted: state.Attempt{At: j.InForce.Wall.Add(2 * time.Second), Service: "sshd",
				Method: method.TOTP}}
		for _, edit := range edits {
			edit(&l)
		}
		return l, nil
	}
}

func TestOnlyANewLoginWithACodeConfirms(t *testing.T) {
	at := func(r *rig, d time.Duration) time.Time { return r.now.Wall.Add(d) }
	for name, c := range map[string]struct {
		edit func(r *rig, l *Login)
		says string // empty: it confirms
	}{
		"a new login with a code": {func(*rig, *Login) {}, ""},
		"with a recovery code": {func(_ *rig, l *Login) { l.Accepted.Method = method.Recovery },
			""},
		"with a code that root gave out": {func(_ *rig, l *Login) {
			l.Accepted.Method = method.Bypass
		}, ""},
		"with a security key": {func(_ *rig, l *Login) { l.Accepted.Method = method.Key }, ""},
		"with a code for sudo after the login's": {func(r *rig, l *Login) {
			l.Accepted.Service, l.Accepted.At = "sudo", at(r, 4*time.Second)
		}, ""},
		"with a code for sudo, and none for the login": {func(r *rig, l *Login) {
			l.Accepted.Service, l.Came = "sudo", at(r, -time.Hour)
		}, "was for sudo"},
		"with a code for sudo, from no address": {func(r *rig, l *Login) {
			l.Accepted.Service, l.Came = "sudo", time.Time{}
		}, "was for sudo"},
		"a login before": {func(_ *rig, l *Login) { l.Began = 59 * time.Minute },
			"older than enroll activate"},
		"a login an instant before": {func(_ *rig, l *Login) { l.Began = time.Hour - 1 },
			"older than enroll activate"},
		"no code since": {func(r *rig, l *Login) { l.Accepted.At = at(r, -time.Minute) },
			"no code of alice has been accepted"},
		"no code ever": {func(_ *rig, l *Login) { l.Accepted = state.Attempt{} },
			"no code of alice has been accepted"},
		"a computer that is trusted": {func(_ *rig, l *Login) { l.Accepted.Method = method.Trust },
			"without a code"},
		"a method that is not known": {func(_ *rig, l *Login) { l.Accepted.Method = "" },
			"without a code"},
		"after the machine was started again": {func(r *rig, l *Login) {
			l.Now = journal.Moment{Wall: at(r, 30*time.Second), Boot: "second",
				Up: 20 * time.Second}
			l.Began, l.Accepted.At = 10*time.Second, at(r, 25*time.Second)
		}, ""},
		"an old code after the machine was started again": {func(r *rig, l *Login) {
			l.Now = journal.Moment{Wall: at(r, 30*time.Second), Boot: "second",
				Up: 20 * time.Second}
			l.Began, l.Accepted.At = 10*time.Second, at(r, 15*time.Second)
		}, "no code of alice has been accepted"},
		"a machine that does not say when it was started": {func(_ *rig, l *Login) {
			l.Now.Boot = ""
		}, "older than enroll activate"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.begun()
			_, err := r.Confirm(r.proof(func(l *Login) { c.edit(r, l) }))
			if c.says == "" && err != nil ||
				c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			want := journal.Active
			if c.says != "" {
				want = journal.Pending
			}
			r.is("after\n", "options\n", want)
		})
	}
}

func TestNothingElseConfirms(t *testing.T) {
	r := newRig(t)
	if _, err := r.Confirm(r.proof()); !errors.Is(err, ErrNothing) {
		t.Errorf("without an activation: got %v, want %v", err, ErrNothing)
	}
	r.begun()
	if _, err := r.Confirm(func() (Login, error) { return Login{}, session.ErrNone }); !errors.Is(
		err, session.ErrNone) {
		t.Errorf("outside of a login: got %v", err)
	}
	if _, err := r.Confirm(func() (Login, error) { return Login{}, nil }); err == nil {
		t.Error("the zero value of a login confirms")
	}
	r.is("after\n", "options\n", journal.Pending)
	r.now.Up += time.Minute
	if _, err := r.Confirm(r.proof()); err == nil || !strings.Contains(err.Error(), "too late") {
		t.Errorf("too late: got %v", err)
	}
	r.is("after\n", "options\n", journal.Pending)
}

// An activation that was killed before sshd had read its configuration cannot be confirmed.
func TestItMustBeKnownSinceWhenSSHDAsks(t *testing.T) {
	r := newRig(t)
	r.Reload = func() error { panic("killed") }
	func() {
		defer func() { recover() }()
		r.begin()
	}()
	l := func() (Login, error) {
		return Login{Session: session.Session{Began: r.now.Up}, User: "alice", Now: r.now,
			Accepted: state.Attempt{At: r.now.Wall, Service: "sshd", Method: method.TOTP}}, nil
	}
	if _, err := r.Confirm(l); err == nil || !strings.Contains(err.Error(), "not known since when") {
		t.Errorf("got %v", err)
	}
}
