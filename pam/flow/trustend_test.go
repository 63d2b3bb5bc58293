package flow_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// What ends trust, each with the login before it.
func TestTrustEndsWith(t *testing.T) {
	alice := record.User{Name: "alice", UID: uid}
	root := enrollment.ByRoot()
	cases := map[string]func(w *world){
		"a reset": func(w *world) {
			testroot.Must(w.t, w.root.Store().Reset(root, "alice"))
			testroot.Must(w.t, w.root.Store().Add(root, alice, w.phone, 0))
		},
		"another device in place of the old one": func(w *world) {
			w.phone = testroot.TOTP("new")
			e := enrollment.Enrollment{Devices: []record.Device{w.phone}, Counters: []uint64{0}}
			testroot.Must(w.t, w.root.Store().Replace(root, alice, e))
		},
		"a removed device": func(w *world) {
			testroot.Must(w.t, w.root.Store().Add(root, alice, testroot.TOTP("second"), 0))
			w.trusted(home()) // one more does not end it
			testroot.Must(w.t, w.root.Store().Remove(root, alice, "second"))
		},
		"a lock":                 lockElsewhere,
		"another number of days": func(w *world) { w.root.Policy(w.t, "[trust]\ndays = 31\n") },
		"fewer days":             func(w *world) { w.root.Policy(w.t, "[trust]\ndays = 7\n") },
		"another binding":        func(w *world) { w.root.Policy(w.t, trustBoth) },
		"fewer methods": func(w *world) {
			w.root.Policy(w.t, trustKey+"[[rule]]\nrequire = 'code'\nmethods = ['totp']\n")
		},
		"a rule that says 0": func(w *world) {
			w.root.Policy(w.t, trustKey+"[[rule]]\nrequire = 'code'\ntrust_days = 0\n")
		},
		"a policy without it": func(w *world) { w.root.Policy(w.t, "") },
		"another host key": func(w *world) {
			testroot.Must(w.t, os.Remove(w.root.Key()))
			st := w.state()
			testroot.Must(w.t, os.Remove(w.root.Record("alice")))
			rec := w.root.Enroll(w.t, "alice", uid, w.phone)
			st.Enrollment = rec.Enrollment
			testroot.Must(w.t, w.root.Keyring().States.Create("alice", *st))
		},
		"another enrollment": func(w *world) {
			st := w.state()
			rec := w.root.Enroll(w.t, "alice", uid, w.phone, testroot.TOTP("second"))
			rec.Enrollment[0]++
			w.root.Save(w.t, rec)
			st.Enrollment = rec.Enrollment
			st.Devices = append(st.Devices, state.Device{ID: testroot.TOTP("second").ID})
			testroot.Must(w.t, w.root.Keyring().States.Create("alice", *st))
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, trustKey)
			w.trusts(home())
			w.trusted(home())
			change(w)
			w.now = w.now.Add(time.Hour)
			w.askedAgain()
		})
	}
}

// lockElsewhere has a stranger type wrong codes until alice is locked out.
func lockElsewhere(w *world) {
	w.t.Helper()
	for _, n := range []int{3, 3, 3, 1} {
		w.login(byKey("198.51.100.1"), w.wrongs(n)...)
	}
	if w.state().Locked.IsZero() {
		w.t.Fatal("alice is not locked out: this proves nothing")
	}
}

// askedAgain demands that a login of alice's is asked for something.
func (w *world) askedAgain() {
	w.t.Helper()
	o := w.login(home(), noMore)
	if o.Allow || o.Reason != verdict.NoAnswer || len(w.shown) != 1 ||
		!strings.HasSuffix(w.shown[0], "Verification code: ") {
		w.t.Errorf("got %+v, and the user saw %q; want a question for a code", o, w.shown)
	}
}

// A lock denies at a trusted computer, too, and what was trusted before it is not trusted after
// it.
func TestLockedUserIsDeniedAtATrustedComputer(t *testing.T) {
	w := newWorld(t, trustKey)
	w.trusts(home())
	lockElsewhere(w)
	w.expect(w.login(home()), false, verdict.Locked, maxTries,
		"Too many wrong codes. Try again in 15 minutes.")
	w.now = w.now.Add(time.Hour)
	w.asksForCode(home())
}

// Nine wrong codes lock nothing; a trusted login does not make them forgotten.
func TestTrustedLoginForgetsNoWrongCodes(t *testing.T) {
	w := newWorld(t, trustKey)
	w.trusts(home())
	for range 3 {
		w.login(byKey("198.51.100.1"), w.wrongs(3)...)
	}
	o := w.login(home())
	w.expect(o, true, verdict.OK, success,
		"9 wrong codes were refused since Sun 31 Jan 12:00, the last from 198.51.100.1.")
	w.trusted(home()) // told once
	if st := w.state(); len(st.Failures) != 9 || st.Refused.Count != 9 {
		t.Errorf("got %d failures, %d in a row; want 9 of each", len(st.Failures),
			st.Refused.Count)
	}
	w.login(byKey("198.51.100.1"), w.wrong())
	w.expect(w.login(home()), false, verdict.Locked, maxTries,
		"Too many wrong codes. Try again in 15 minutes.")
}

func TestRuleThatDeniesIsNotOverriddenByTrust(t *testing.T) {
	w := newWorld(t, trustKey)
	w.trusts(home())
	w.root.Policy(t, trustKey+"[[rule]]\nfrom = ['192.0.2.0/24']\nrequire = 'deny'\n")
	w.expect(w.login(home()), false, verdict.Forbidden, maxTries, "You may not log in here.")
	w.trusted(byKey("198.51.100.1", 1))
}

// A group that cannot be told may be a privileged one.
func TestTrustGivenUnderOneRuleMeansNothingWhereAnotherMayHold(t *testing.T) {
	w := newWorld(t, trustKey+"[[rule]]\ngroups = ['wheel']\nrequire = 'code'\ntrust_days = 0\n")
	w.groups = func(string) (bool, error) { return false, nil }
	w.trusts(home())
	w.trusted(home())
	w.groups = func(string) (bool, error) { return false, os.ErrDeadlineExceeded }
	w.askedAgain()
	w.groups = func(string) (bool, error) { return true, nil }
	w.askedAgain()
	w.groups = func(string) (bool, error) { return false, nil }
	w.trusted(home())
}

func TestTrustSwitchedOffDoesNotComeBackAfterALogin(t *testing.T) {
	w := newWorld(t, trustKey)
	w.trusts(home())
	w.root.Policy(t, "")
	w.expect(w.login(home(), w.code()), true, verdict.OK, success, firstText)
	w.root.Policy(t, trustKey)
	w.asksForCode(home())
}

// Another service, such as su with a policy of its own, ends nothing.
func TestLoginFromNowhereEndsNoTrust(t *testing.T) {
	w := newWorld(t, trustKey)
	w.trusts(home())
	w.root.Policy(t, "")
	su := byKey("")
	su.Service = "su"
	w.expect(w.login(su, w.code()), true, verdict.OK, success, firstText)
	w.root.Policy(t, trustKey)
	w.trusted(home())
}

func TestAnotherUserAtTheSameComputerIsAskedForACode(t *testing.T) {
	for name, policy := range map[string]string{"by key": trustKey, "by address": trustAddress} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, policy)
			w.root.Enroll(t, "bob", uid+1, testroot.TOTP("bob"))
			w.trusts(home())
			bob := home()
			bob.User, bob.Name, bob.UID = "bob", "bob", uid+1
			w.asksForCode(bob)
			// With alice's trust in bob's state it is still hers.
			st, err := w.root.Keyring().States.Open("bob")
			testroot.Must(t, err)
			st.Trusts = w.state().Trusts
			testroot.Must(t, st.Commit())
			st.Close()
			w.asksForCode(bob)
			w.trusted(home())
		})
	}
}

// FAULTS 21 for trust: a clock set back makes nothing last longer.
func TestClockThatIsSetBackExtendsNoTrust(t *testing.T) {
	w := newWorld(t, trustKey)
	w.trusts(home())
	given := w.state().Trusts[0].Since
	w.now = given.Add(20 * 24 * time.Hour)
	w.trusted(home())
	w.now = w.now.Add(-4 * time.Minute) // a correction
	w.trusted(home())
	w.now = w.now.Add(-10 * 24 * time.Hour)
	w.asksForCode(home())
	w.now = given.Add(-time.Hour)
	w.asksForCode(home())
	w.now = given.Add(20*24*time.Hour + time.Minute) // and corrected: nothing happened meanwhile
	w.trusted(home())
}

func TestClockThatGoesForwardAndBackForgetsTrustAtTheNextCodeAndNotForEver(t *testing.T) {
	w := newWorld(t, trustKey)
	token := enrollment.NewHOTP("token", []byte("12345678901234567890"), "SHA1", 6, w.now)
	testroot.Must(t, w.root.Store().Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		token, 0))
	w.trusts(home())
	right := w.now
	w.now = right.Add(10 * 365 * 24 * time.Hour)
	w.askedAgain()
	// RFC 4226, counter 0
	w.expect(w.login(home(), "755224", "y"), true, verdict.OK, success, trustQuestion)
	w.now = right.Add(time.Minute)
	w.askedAgain() // the trust is from the future
	w.expect(w.login(home(), "287082", "y"), true, verdict.OK, success, trustQuestion)
	w.trusted(home())
	if got := w.state().Trusts; len(got) != 1 || !got[0].Since.Equal(w.now.Truncate(time.Second)) {
		t.Errorf("got %+v; want the last one", got)
	}
}

// How long a trust has lasted is not known any longer once time began again.
func TestCodeByAClockThatWasSetBackEndsTrust(t *testing.T) {
	w := newWorld(t, trustKey)
	token := enrollment.NewHOTP("token", []byte("12345678901234567890"), "SHA1", 6, w.now)
	testroot.Must(t, w.root.Store().Add(enrollment.ByRoot(),
		record.User{Name: "alice", UID: uid}, token, 0))
	w.trusts(home())
	w.now = w.now.Add(20 * 24 * time.Hour)
	w.trusted(home())
	w.now = w.now.Add(-10 * 24 * time.Hour)
	w.askedAgain()
	// RFC 4226, counter 0
	w.expect(w.login(home(), "755224", "n"), true, verdict.OK, success, trustQuestion)
	w.askedAgain()
	w.now = w.now.Add(11 * 24 * time.Hour)
	w.askedAgain()
}

func TestOldestOfSixteenFallsOut(t *testing.T) {
	w := newWorld(t, trustKey)
	for n := range byte(state.MaxTrusts) {
		w.trusts(byKey("192.0.2.7", n+1))
	}
	w.trusted(byKey("192.0.2.7", 1))
	w.trusts(byKey("192.0.2.7", state.MaxTrusts+1))
	w.asksForCode(byKey("192.0.2.7", 1))
	for n := range byte(state.MaxTrusts) {
		w.trusted(byKey("192.0.2.7", n+2))
	}
}

func TestAddressThatMoreThanThreeUsersTrustIsNotOffered(t *testing.T) {
	w := newWorld(t, trustAddress)
	other := func(n int) flow.Request {
		r := byKey("192.0.2.7")
		r.Name, r.UID = fmt.Sprint("user", n), uint32(2000+n)
		r.User = r.Name
		if _, err := os.Stat(w.root.Record(r.Name)); err != nil {
			w.root.Enroll(t, r.Name, r.UID, w.phone)
		}
		return r
	}
	for n := range 4 {
		w.trusts(other(n))
	}
	w.expect(w.login(home(), w.code()), true, verdict.OK, success, firstText)
	w.now = w.now.Add(30 * time.Second)
	w.trusted(other(0)) // who was before keeps it
	elsewhere := byKey("192.0.2.8")
	w.trusts(elsewhere)

	w.root.Policy(t, trustBoth) // a key tells them apart
	w.trusts(home())

	w.root.Policy(t, trustAddress)
	w.now = w.now.Add(31 * 24 * time.Hour) // theirs are over
	w.trusts(home())
}

func TestStateThatCannotBeReadMayTrustTheAddress(t *testing.T) {
	w := newWorld(t, trustAddress)
	for n := range 4 {
		testroot.Write(t, w.root.State(fmt.Sprint("damaged", n)), []byte("x"))
	}
	w.expect(w.login(home(), w.code()), true, verdict.OK, success, firstText)
	testroot.Must(t, os.Remove(w.root.State("damaged0")))
	w.now = w.now.Add(30 * time.Second)
	w.trusts(home())
}

// What others do while the question is open counts.
func TestNothingIsTrustedIfTheAccountIsNotTheOneAnyLongerThatWasAsked(t *testing.T) {
	alice, root := record.User{Name: "alice", UID: uid}, enrollment.ByRoot()
	cases := map[string]func(w *world){
		"locked": func(w *world) {
			st, err := w.root.Keyring().States.Open("alice")
			testroot.Must(w.t, err)
			defer st.Close()
			st.Locked = w.now
			testroot.Must(w.t, st.Commit())
		},
		"reset": func(w *world) {
			testroot.Must(w.t, w.root.Store().Reset(root, "alice"))
			testroot.Must(w.t, w.root.Store().Add(root, alice, w.phone, 0))
		},
		"device removed": func(w *world) {
			testroot.Must(w.t, w.root.Store().Add(root, alice, testroot.TOTP("other"), 0))
			testroot.Must(w.t, w.root.Store().Remove(root, alice, "phone"))
		},
		"gone": func(w *world) { testroot.Must(w.t, w.root.Store().Reset(root, "alice")) },
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, trustKey)
			w.onAsk = func() {
				if slices.Contains(w.shown, trustQuestion) {
					w.onAsk = nil
					change(w)
				}
			}
			o := w.login(home(), w.code(), "y")
			w.expect(o, true, verdict.OK, success,
				"This computer could not be remembered:\n"+
					"at the next login you are asked for a code.")
			w.detail(o, "the computer is not trusted: ")
			if st, err := w.root.Keyring().States.View("alice"); err == nil && len(st.Trusts) > 0 {
				t.Errorf("got %+v; want no trust", st.Trusts)
			}
		})
	}
}

// A slot that was damaged later finds the same trusts in the other; forged ones mean nothing.
func TestTrustThatWasNotGivenByALoginMeansNothing(t *testing.T) {
	w := newWorld(t, trustKey)
	w.trusts(home())
	good := w.state().Trusts[0]
	forge := func(change func(t *state.Trust)) {
		st, err := w.root.Keyring().States.Open("alice")
		testroot.Must(t, err)
		defer st.Close()
		forged := good
		change(&forged)
		st.Trusts = []state.Trust{forged}
		testroot.Must(t, st.Commit())
	}
	for name, change := range map[string]func(t *state.Trust){
		"later":           func(t *state.Trust) { t.Since = t.Since.Add(time.Second) },
		"longer":          func(t *state.Trust) { t.Days++ },
		"another address": func(t *state.Trust) { t.From = t.From.Next() },
		"any key":         func(t *state.Trust) { t.Key = [16]byte{} },
		"by the address":  func(t *state.Trust) { t.Anywhere = false },
		"the tag":         func(t *state.Trust) { t.Tag[7]++ },
	} {
		forge(change)
		if w.asksForCode(home()); t.Failed() {
			t.Fatal(name)
		}
	}
	forge(func(*state.Trust) {})
	w.trusted(home())
}

// A login by security key sees the time, as one by code does.
func TestTrustThatEndedDoesNotBeginAgainAfterALoginByKey(t *testing.T) {
	w, own, _ := withKey(t, trustKey)
	w.trusts(home())
	given := w.now
	w.now = given.Add(40 * 24 * time.Hour)
	w.byKey(w.login(accepted(testroot.Line(t, own))), "yubikey")
	w.now = given.Add(24 * time.Hour)
	w.asksForCode(home())
	w.byKey(w.login(accepted(testroot.Line(t, own))), "yubikey")
	if st := w.state(); len(st.Trusts) != 0 || !st.Clock.Equal(w.now) {
		t.Errorf("got %d computers trusted at %v, want none at %v", len(st.Trusts), st.Clock, w.now)
	}
}
