package enrollment_test

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

const oldCode, newCode = "87654321", "12345678" // recovery codes

// withPhone returns a host on which alice has an app on her phone and a recovery code, and trusts
// a computer.
func withPhone(t testing.TB) (root testroot.Root, of *record.Record) {
	t.Helper()
	root = testroot.New(t)
	testroot.Must(t, exchangeable(root))
	account, err := root.Keyring().Open(alice)
	testroot.Must(t, err)
	defer account.Close()
	account.State.Trusts = []state.Trust{{Since: noon, Days: 30, Tag: [8]byte{1}}}
	testroot.Must(t, factor.Commit(account.State))
	return root, account.Record
}

// exchangeable gives alice an app on her phone and a recovery code.
func exchangeable(root testroot.Root) error {
	return root.Store().Enroll(enrollment.ByRoot(), alice, enrollment.Enrollment{
		Devices: []record.Device{testroot.TOTP("phone")}, Counters: []uint64{7},
		Recovery: enrollment.ImportedRecovery([]string{oldCode}),
	})
}

// byNew is an app in place of the one on alice's phone.
func byNew(label string) enrollment.Exchange {
	return enrollment.Exchange{Old: testroot.TOTP("phone").ID, New: testroot.TOTP(label),
		Counter: 7, Recovery: enrollment.ImportedRecovery([]string{newCode})}
}

// exchange is what a killed process does. Its argument is the root.
func exchange(args []string) error {
	return testroot.Root(args[0]).Store().Exchange(enrollment.ByRoot(), alice, byNew("new"))
}

// ofPhone returns the right that a code of alice's phone gives at noon.
func ofPhone(of *record.Record) enrollment.Proof {
	m := factor.Match{Result: factor.Accepted, Method: method.TOTP, Device: of.Find("phone")}
	return enrollment.ByCode(noon, at(noon), of, m)
}

// The usual case: the old phone still works, and its code is the proof. There is no other device.
func TestACodeOfTheOldDeviceGivesTheRightToExchangeItThoughNotToRemoveIt(t *testing.T) {
	root, of := withPhone(t)
	k := root.Store()
	if err := k.Remove(ofPhone(of), alice, "phone"); !errors.Is(err, enrollment.ErrLastDevice) {
		t.Errorf("removing it: got error %v, want %v", err, enrollment.ErrLastDevice)
	}
	if err := k.Exchange(ofPhone(of), alice, byNew("new")); err != nil {
		t.Fatalf("exchanging it: %v", err)
	}
	if got := devices(t, root); !slices.Equal(got, []string{"new"}) {
		t.Errorf("got devices %q, want the new one alone", got)
	}
	expect(t, root, testroot.Code(t, testroot.TOTP("phone"), noon), noon, factor.Wrong)
	expect(t, root, testroot.Code(t, testroot.TOTP("new"), noon), noon, factor.Accepted)
	expect(t, root, oldCode, noon, factor.Wrong)
	expect(t, root, newCode, noon, factor.Accepted)
	st, err := root.Keyring().States.View(alice.Name)
	testroot.Must(t, err)
	if len(st.Trusts) > 0 || len(st.Devices) > 1 {
		t.Errorf("got trust %v and devices %v in the state, want no trust and one device",
			st.Trusts, st.Devices)
	}
}

func TestRefusedExchangeChangesNoByte(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*enrollment.Exchange)
		says string
	}{
		// A code that was used up with the old device would work again.
		"the old secret": {func(e *enrollment.Exchange) {
			e.New.Secret = testroot.TOTP("phone").Secret
		}, `"phone" has this secret already`},
		"another device's label": {func(e *enrollment.Exchange) {
			e.New.Label = "tablet"
		}, `there is a device "tablet" already`},
		"a device that is gone": {func(e *enrollment.Exchange) {
			e.Old = testroot.TOTP("watch").ID
		}, enrollment.ErrMeanwhile.Error()},
		"no valid device": {func(e *enrollment.Exchange) { e.New.Digits = 7 }, "digits"},
	} {
		t.Run(name, func(t *testing.T) {
			root, of := withPhone(t)
			testroot.Must(t,
				root.Store().Add(enrollment.ByRoot(), alice, testroot.TOTP("tablet"), 0))
			e, before := byNew("new"), files(t, root)
			c.edit(&e)
			err := root.Store().Exchange(ofPhone(of), alice, e)
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got error %v, want one that says %q", err, c.says)
			}
			if got := devices(t, root); !slices.Equal(got, []string{"phone", "tablet"}) {
				t.Errorf("got devices %q, want those of before", got)
			}
			if name != "no valid device" && !maps.Equal(before, files(t, root)) {
				t.Error("got other files, want those of before")
			}
		})
	}
}

func TestExchangeKeepsTheLabelOfTheOldDeviceIfAsked(t *testing.T) {
	root, of := withPhone(t)
	e := byNew("new")
	e.New.Label = "phone"
	testroot.Must(t, root.Store().Exchange(ofPhone(of), alice, e))
	if got := devices(t, root); !slices.Equal(got, []string{"phone"}) {
		t.Errorf("got devices %q, want the new one by the old label", got)
	}
	expect(t, root, testroot.Code(t, testroot.TOTP("new"), noon), noon, factor.Accepted)
}

// A code that a proof used up stays so, and one of the new device up to its counter.
func TestExchangeRevivesNoCode(t *testing.T) {
	root, of := withPhone(t)
	e := byNew("new")
	e.Counter = uint64(noon.Unix() / 30)
	testroot.Must(t, root.Store().Exchange(ofPhone(of), alice, e))
	expect(t, root, testroot.Code(t, e.New, noon), noon, factor.Replayed)
	later := noon.Add(30 * time.Second)
	expect(t, root, testroot.Code(t, e.New, later), later, factor.Accepted)
}

func TestExchangeKilledAtAnySystemCallLeavesTheOldEnrollmentOrTheNewWhole(t *testing.T) {
	root := testroot.New(t)
	testroot.Must(t, exchangeable(root))
	testroot.KillAtEveryCall(t, "exchange", []string{string(root)},
		func(before string, completed bool) {
			label := strings.Join(devices(t, root), " ")
			code := map[string]string{"phone": oldCode, "new": newCode}[label]
			if code == "" || completed && label != "new" {
				t.Errorf("killed before %s: got devices %q", before, label)
			} else {
				expect(t, root, code, noon, factor.Accepted)
			}
			testroot.Must(t, root.Store().Reset(enrollment.ByRoot(), alice.Name))
			testroot.Must(t, exchangeable(root))
		})
}
