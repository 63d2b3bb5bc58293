package enrollment_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

func TestEnrollmentUsesUpTheTicket(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	code, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, k.SetTicket(enrollment.ByRoot(), alice, g))
	result, found, err := k.VerifyTicket(alice, code, noon, three)
	if err != nil || result != factor.Accepted {
		t.Fatalf("%v, %v", result, err)
	}
	invited := enrollment.ByTicket(alice, noon, at(noon), found)
	phone := []record.Device{testroot.TOTP("phone")}
	e := enrollment.Enrollment{Devices: phone, Counters: []uint64{0}}
	testroot.Must(t, k.Enroll(invited, alice, e))
	testroot.Must(t, k.Reset(enrollment.ByRoot(), "alice"))
	if result, _, err := k.VerifyTicket(alice, code, noon, three); err != nil ||
		result != factor.Wrong {
		t.Errorf("after the enrollment: %v, %v", result, err)
	}
	if err := k.Enroll(invited, alice, e); !errors.Is(err, enrollment.ErrTicket) {
		t.Errorf("with the same ticket: %v", err)
	}
}

func TestReplacedTicketEnrollsNoOne(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	code, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, k.SetTicket(enrollment.ByRoot(), alice, g))
	_, found, err := k.VerifyTicket(alice, code, noon, three)
	testroot.Must(t, err)
	_, other := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, k.SetTicket(enrollment.ByRoot(), alice, other))
	invited := enrollment.ByTicket(alice, noon, at(noon), found)
	phone := testroot.TOTP("phone")
	if err := k.Add(invited, alice, phone, 0); !errors.Is(err, enrollment.ErrTicket) {
		t.Errorf("got error %v, want ErrTicket", err)
	}
	if got := devices(t, root); got != nil {
		t.Errorf("she has %q", got)
	}
}

func TestATicketIsRefused(t *testing.T) {
	code, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
	for name, c := range map[string]struct {
		code string
		uid  uint32
		now  time.Time
	}{
		"that is another":           {"0000000000", uid, noon},
		"that is empty":             {"", uid, noon},
		"of another user's uid":     {code, uid + 1, noon},
		"that has ended":            {code, uid, noon.Add(time.Hour)},
		"from before a clock reset": {code, uid, noon.Add(59*time.Minute - factor.MaxOneTimeCode)},
	} {
		root := testroot.New(t)
		testroot.Must(t, root.Store().SetTicket(enrollment.ByRoot(), alice, g))
		user := record.User{Name: "alice", UID: c.uid}
		result, _, err := root.Store().VerifyTicket(user, c.code, c.now, three)
		if err != nil || result != factor.Wrong {
			t.Errorf("%s: %v, %v", name, result, err)
		}
	}
	result, _, err := testroot.New(t).Store().VerifyTicket(alice, code, noon, three)
	if err != nil || result != factor.Wrong {
		t.Errorf("of a user who was not invited: got %v, %v; want Wrong", result, err)
	}
}

func TestGuessingATicketLocks(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	code, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, k.SetTicket(enrollment.ByRoot(), alice, g))
	for range 3 {
		k.VerifyTicket(alice, "0000000000", noon, three)
	}
	result, _, err := k.VerifyTicket(alice, code, noon, three)
	if err != nil || result != factor.Locked {
		t.Errorf("%v, %v", result, err)
	}
}

// FAULTS 39: a lock that only root ends must be one that root can end.
func TestUnlockEndsTheLockOfAUserWithoutARecord(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	row := limit.Guesses{
		Failures:    limit.Rate{Count: 10, Window: time.Minute},
		Lock:        time.Minute,
		Consecutive: 3,
	}
	if was, err := k.Unlock(enrollment.ByRoot(), alice, row, noon); was ||
		!errors.Is(err, factor.ErrUnenrolled) {
		t.Errorf("without a state: got %v, %v; want ErrUnenrolled", was, err)
	}
	code, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, k.SetTicket(enrollment.ByRoot(), alice, g))
	for range 3 {
		k.VerifyTicket(alice, "0000000000", noon, row)
	}
	other := record.User{Name: alice.Name, UID: alice.UID + 1}
	if was, err := k.Unlock(enrollment.ByRoot(), other, row, noon); was || err == nil {
		t.Errorf("of another uid: got %v, %v; want an error", was, err)
	}
	if was, err := k.Unlock(enrollment.ByRoot(), alice, row, noon); !was || err != nil {
		t.Errorf("got %v, %v; want the lock ended", was, err)
	}
	if result, _, err := k.VerifyTicket(alice, code, noon, row); err != nil ||
		result != factor.Accepted {
		t.Errorf("then the ticket: got %v, %v; want it accepted", result, err)
	}
}

func TestEnrolledUserGetsNoTicketAndUnenrolledUserNoBypass(t *testing.T) {
	root := testroot.New(t)
	_, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
	err := root.Store().SetBypass(enrollment.ByRoot(), alice, g)
	if !errors.Is(err, factor.ErrUnenrolled) {
		t.Errorf("bypass: got error %v, want ErrUnenrolled", err)
	}
	root.Enroll(t, "alice", uid, testroot.TOTP("phone"))
	err = root.Store().SetTicket(enrollment.ByRoot(), alice, g)
	if !errors.Is(err, enrollment.ErrEnrolled) {
		t.Errorf("ticket: got error %v, want ErrEnrolled", err)
	}
}

func TestATicketReplacesWhatIsLeftOfAnotherUserOfThatName(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	_, earlier := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, k.SetTicket(enrollment.ByRoot(), alice, earlier))
	code, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, k.SetTicket(enrollment.ByRoot(), record.User{Name: "alice", UID: uid + 1}, g))
	result, _, err := k.VerifyTicket(record.User{Name: "alice", UID: uid + 1}, code, noon, three)
	if err != nil || result != factor.Accepted {
		t.Errorf("%v, %v", result, err)
	}
}

func TestATicketIsUsedUpOnlyByAnEnrollmentThatIsSaved(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	code, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, k.SetTicket(enrollment.ByRoot(), alice, g))
	var invited enrollment.Proof
	verified := func() factor.Result {
		result, found, err := k.VerifyTicket(alice, code, noon, three)
		testroot.Must(t, err)
		invited = enrollment.ByTicket(alice, noon, at(noon), found)
		return result
	}
	verified()
	users := root.Join("etc/latchkey/users")
	// as on a file system that is read-only: the state is made, and no record
	testroot.Must(t, os.Chmod(users, 0o555))
	testroot.Unprivileged(t, func() {
		if err := k.Add(invited, alice, testroot.TOTP("phone"), 0); err == nil {
			t.Fatal("it was saved")
		}
	})
	testroot.Must(t, os.Chmod(users, 0o755))
	if verified() != factor.Accepted {
		t.Fatal("the ticket is gone")
	}
	testroot.Must(t, k.Add(invited, alice, testroot.TOTP("phone"), 0))
	st, err := k.States.Open("alice")
	testroot.Must(t, err)
	defer st.Close()
	if st.Ticket != (state.OneTimeCode{}) {
		t.Error("the ticket is still there")
	}
}

func TestANewTicketEndsTheLockOfWrongOnes(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	for range 2 {
		code, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
		testroot.Must(t, k.SetTicket(enrollment.ByRoot(), alice, g))
		if result, _, err := k.VerifyTicket(alice, code, noon, three); err != nil ||
			result != factor.Accepted {
			t.Fatalf("result %v, %v", result, err)
		}
		for range 3 {
			k.VerifyTicket(alice, "0000000000", noon, three)
		}
		if result, _, err := k.VerifyTicket(alice, code, noon, three); err != nil ||
			result != factor.Locked {
			t.Fatalf("after three wrong ones: result %v, %v", result, err)
		}
	}
}
