package factor_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// granted makes a code that works for an hour from noon.
func granted(t *testing.T) (code string, g state.Grant) {
	t.Helper()
	printed, g, err := factor.NewGrant(noon.Add(time.Hour))
	testroot.Must(t, err)
	code, ok := factor.NormalizeAnswer(printed)
	if !ok {
		t.Fatalf("%q is no code", printed)
	}
	return code, g
}

// bypassed is a host where root gave alice a code at noon.
func bypassed(t *testing.T) (testroot.Root, string) {
	t.Helper()
	root := testroot.New(t)
	root.Enroll(t, "alice", uid, testroot.TOTP("phone"))
	code, g := granted(t)
	testroot.Must(t, root.Keyring().SetBypass(record.User{Name: "alice", UID: uid}, g))
	return root, code
}

func verify(t *testing.T, root testroot.Root, code string, now time.Time) factor.Match {
	t.Helper()
	account, err := root.Keyring().Open(record.User{Name: "alice", UID: uid})
	testroot.Must(t, err)
	defer account.Close()
	m, err := compare(account, code, now, three, func(method.Method) bool { return false })
	testroot.Must(t, err)
	return m
}

func TestACodeThatRootGaveOutWorksOnceWhateverTheRuleAllows(t *testing.T) {
	root, code := bypassed(t)
	if m := verify(t, root, code, noon); m.Result != factor.Accepted || m.Method != method.Bypass || m.Device != nil {
		t.Fatalf("%+v", m)
	}
	if m := verify(t, root, code, noon); m.Result != factor.Impossible {
		t.Errorf("the second time: got %+v, want that nothing has such a code", m)
	}
}

func TestACodeThatRootGaveOutWorksInItsTimeOnly(t *testing.T) {
	for name, at := range map[string]time.Time{
		"when it ends":                   noon.Add(time.Hour),
		"afterwards":                     noon.Add(time.Hour + time.Second),
		"on a clock set back by a month": noon.Add(-30 * 24 * time.Hour),
	} {
		root, code := bypassed(t)
		if m := verify(t, root, code, at); m.Result != factor.Impossible {
			t.Errorf("%s: got %+v, want that nothing has such a code", name, m)
		}
	}
	root, code := bypassed(t)
	if m := verify(t, root, code, noon.Add(time.Hour-time.Second)); m.Result != factor.Accepted {
		t.Errorf("a second before its end: %+v", m)
	}
}

func TestANewCodeOfRootsReplacesTheOldOne(t *testing.T) {
	root, old := bypassed(t)
	fresh, g := granted(t)
	testroot.Must(t, root.Keyring().SetBypass(record.User{Name: "alice", UID: uid}, g))
	if m := verify(t, root, old, noon); m.Result != factor.Wrong {
		t.Errorf("the old one: %+v", m)
	}
	if m := verify(t, root, fresh, noon); m.Result != factor.Accepted {
		t.Errorf("the new one: %+v", m)
	}
}

func TestAWrongCodeOfRootsIsAGuessAndLocks(t *testing.T) {
	root, code := bypassed(t)
	for range 3 {
		verify(t, root, "0000000000", noon)
	}
	if m := verify(t, root, code, noon); m.Result != factor.Locked {
		t.Errorf("%+v", m)
	}
}

func TestATicketIsCheckedAndTheEnrollmentUsesItUp(t *testing.T) {
	root := testroot.New(t)
	k := root.Keyring()
	code, g := granted(t)
	testroot.Must(t, k.SetTicket(record.User{Name: "alice", UID: uid}, g))
	result, found, err := k.VerifyTicket(record.User{Name: "alice", UID: uid}, code, noon, three)
	if err != nil || result != factor.Accepted {
		t.Fatalf("%v, %v", result, err)
	}
	k.Ticket = &found
	e := factor.Enrollment{Devices: []record.Device{testroot.TOTP("phone")}, Counters: []uint64{0}}
	testroot.Must(t, k.Enroll(record.User{Name: "alice", UID: uid}, e, false))
	testroot.Must(t, k.Reset("alice"))
	if result, _, err := k.VerifyTicket(record.User{Name: "alice", UID: uid}, code, noon, three); err != nil || result != factor.Wrong {
		t.Errorf("after the enrollment: %v, %v", result, err)
	}
	if err := k.Enroll(record.User{Name: "alice", UID: uid}, e, false); !errors.Is(err, factor.ErrTicket) {
		t.Errorf("with the same ticket: %v", err)
	}
}

func TestATicketThatIsReplacedMeanwhileEnrollsNobody(t *testing.T) {
	root := testroot.New(t)
	k := root.Keyring()
	code, g := granted(t)
	testroot.Must(t, k.SetTicket(record.User{Name: "alice", UID: uid}, g))
	_, found, err := k.VerifyTicket(record.User{Name: "alice", UID: uid}, code, noon, three)
	testroot.Must(t, err)
	_, other := granted(t)
	testroot.Must(t, k.SetTicket(record.User{Name: "alice", UID: uid}, other))
	k.Ticket = &found
	if err := k.Add(record.User{Name: "alice", UID: uid}, testroot.TOTP("phone"), 0); !errors.Is(err, factor.ErrTicket) {
		t.Errorf("%v", err)
	}
	if got := devices(t, root); got != nil {
		t.Errorf("she has %q", got)
	}
}

func TestATicketIsRefused(t *testing.T) {
	code, g := granted(t)
	for name, c := range map[string]struct {
		code string
		uid  uint32
		now  time.Time
	}{
		"that is another":           {"0000000000", uid, noon},
		"that is empty":             {"", uid, noon},
		"of another user's uid":     {code, uid + 1, noon},
		"that has ended":            {code, uid, noon.Add(time.Hour)},
		"from before a clock reset": {code, uid, noon.Add(-8 * 24 * time.Hour)},
	} {
		root := testroot.New(t)
		testroot.Must(t, root.Keyring().SetTicket(record.User{Name: "alice", UID: uid}, g))
		if result, _, err := root.Keyring().VerifyTicket(record.User{Name: "alice", UID: c.uid}, c.code, c.now, three); err != nil || result != factor.Wrong {
			t.Errorf("%s: %v, %v", name, result, err)
		}
	}
	if result, _, err := testroot.New(t).Keyring().VerifyTicket(record.User{Name: "alice", UID: uid}, code, noon, three); err != nil || result != factor.Wrong {
		t.Errorf("of somebody who was not invited: %v, %v", result, err)
	}
}

func TestGuessingATicketLocks(t *testing.T) {
	root := testroot.New(t)
	k := root.Keyring()
	code, g := granted(t)
	testroot.Must(t, k.SetTicket(record.User{Name: "alice", UID: uid}, g))
	for range 3 {
		k.VerifyTicket(record.User{Name: "alice", UID: uid}, "0000000000", noon, three)
	}
	if result, _, err := k.VerifyTicket(record.User{Name: "alice", UID: uid}, code, noon, three); err != nil || result != factor.Locked {
		t.Errorf("%v, %v", result, err)
	}
}

func TestWhoIsEnrolledGetsNoTicketAndWhoIsNotNoBypass(t *testing.T) {
	root := testroot.New(t)
	_, g := granted(t)
	if err := root.Keyring().SetBypass(record.User{Name: "alice", UID: uid}, g); !errors.Is(err, factor.ErrUnenrolled) {
		t.Errorf("bypass: %v", err)
	}
	root.Enroll(t, "alice", uid, testroot.TOTP("phone"))
	if err := root.Keyring().SetTicket(record.User{Name: "alice", UID: uid}, g); !errors.Is(err, factor.ErrEnrolled) {
		t.Errorf("ticket: %v", err)
	}
}

func TestATicketReplacesWhatIsLeftOfAnotherUserOfThatName(t *testing.T) {
	root := testroot.New(t)
	k := root.Keyring()
	_, earlier := granted(t)
	testroot.Must(t, k.SetTicket(record.User{Name: "alice", UID: uid}, earlier))
	code, g := granted(t)
	testroot.Must(t, k.SetTicket(record.User{Name: "alice", UID: uid + 1}, g))
	if result, _, err := k.VerifyTicket(record.User{Name: "alice", UID: uid + 1}, code, noon, three); err != nil || result != factor.Accepted {
		t.Errorf("%v, %v", result, err)
	}
}

func TestATicketIsUsedUpOnlyByAnEnrollmentThatIsSaved(t *testing.T) {
	root := testroot.New(t)
	k := root.Keyring()
	code, g := granted(t)
	testroot.Must(t, k.SetTicket(record.User{Name: "alice", UID: uid}, g))
	verified := func() factor.Result {
		result, found, err := k.VerifyTicket(record.User{Name: "alice", UID: uid}, code, noon, three)
		testroot.Must(t, err)
		k.Ticket = &found
		return result
	}
	verified()
	users := root.Join("etc/latchkey/users")
	testroot.Must(t, os.Chmod(users, 0o555)) // as on a file system that is read-only: the state is made, and no record
	testroot.Unprivileged(t, func() {
		if err := k.Add(record.User{Name: "alice", UID: uid}, testroot.TOTP("phone"), 0); err == nil {
			t.Fatal("it was saved")
		}
	})
	testroot.Must(t, os.Chmod(users, 0o755))
	if verified() != factor.Accepted {
		t.Fatal("the ticket is gone")
	}
	testroot.Must(t, k.Add(record.User{Name: "alice", UID: uid}, testroot.TOTP("phone"), 0))
	st, err := k.States.Open("alice")
	testroot.Must(t, err)
	defer st.Close()
	if st.Ticket != (state.Grant{}) {
		t.Error("the ticket is still there")
	}
}

func TestANewTicketEndsTheLockOfWrongOnes(t *testing.T) {
	root := testroot.New(t)
	k := root.Keyring()
	for range 2 {
		code, g := granted(t)
		testroot.Must(t, k.SetTicket(record.User{Name: "alice", UID: uid}, g))
		if result, _, err := k.VerifyTicket(record.User{Name: "alice", UID: uid}, code, noon, three); err != nil || result != factor.Accepted {
			t.Fatalf("result %v, %v", result, err)
		}
		for range 3 {
			k.VerifyTicket(record.User{Name: "alice", UID: uid}, "0000000000", noon, three)
		}
		if result, _, err := k.VerifyTicket(record.User{Name: "alice", UID: uid}, code, noon, three); err != nil || result != factor.Locked {
			t.Fatalf("after three wrong ones: result %v, %v", result, err)
		}
	}
}

func TestACodeThatRootGaveOutEndsWhereAnImportReplacesEverything(t *testing.T) {
	root, _, _ := enrolled(t)
	k := root.Keyring()
	code, g := granted(t)
	testroot.Must(t, k.SetBypass(record.User{Name: "alice", UID: uid}, g))
	e := factor.Enrollment{Devices: []record.Device{testroot.TOTP("google")}, Counters: []uint64{0}}
	testroot.Must(t, k.Enroll(record.User{Name: "alice", UID: uid}, e, true))
	expect(t, root, code, noon, factor.Impossible)
}
