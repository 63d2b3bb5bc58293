package factor_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// sends are the limits of these tests: few enough to reach.
var sends = limit.Sends{User: limit.Rate{Count: 5, Window: time.Hour},
	Host: limit.Rate{Count: 7, Window: time.Hour}}

// phones enrolls users with a phone each, who are called user0, user1, and so on.
func phones(t *testing.T, n int) (testroot.Root, []state.DeviceID) {
	t.Helper()
	root := testroot.New(t)
	var ids []state.DeviceID
	for i := range n {
		d := enrollment.NewPhone("mobile", fmt.Sprintf("+1555123%04d", i), noon)
		testroot.Must(t, root.Store().Add(enrollment.ByRoot(),
			record.User{Name: name(i), UID: uidOf(i)}, d, 0))
		ids = append(ids, d.ID)
	}
	return root, ids
}

func name(i int) string { return fmt.Sprintf("user%d", i) }

func uidOf(i int) uint32 { return uid + uint32(i) }

// sent reserves a send for user0 and demands that it is allowed.
func sent(t *testing.T, root testroot.Root, id state.DeviceID, at time.Time) {
	t.Helper()
	if wait, err := root.Keyring().ReserveSend(record.User{Name: "user0", UID: uid}, id, sends,
		at); wait != 0 || err != nil {
		t.Errorf("at %s: wait %v, %v", at.Format(time.TimeOnly), wait, err)
	}
}

// waits reserves one and demands that it has to wait so long.
func waits(t *testing.T, root testroot.Root, id state.DeviceID, at time.Time, want time.Duration) {
	t.Helper()
	if wait, err := root.Keyring().ReserveSend(record.User{Name: "user0", UID: uid}, id, sends,
		at); wait != want || !errors.Is(err, factor.ErrNotYet) {
		t.Errorf("at %s: wait %v, not %v; %v", at.Format(time.TimeOnly), wait, want, err)
	}
}

// reserved is how many sends a user's file and the host's count.
func reserved(t *testing.T, store factor.States, name string) (total int) {
	t.Helper()
	st, err := store.View(name)
	testroot.Must(t, err)
	for _, s := range st.Sends {
		total += int(s.Count)
	}
	return total
}

func TestWaitEndsAfterTheClockWasSetBack(t *testing.T) {
	root, ids := phones(t, 1)
	sent(t, root, ids[0], noon)
	back := noon.AddDate(-1, 0, 0)
	waits(t, root, ids[0], back, 30*time.Second)
	waits(t, root, ids[0], back.Add(20*time.Second), 10*time.Second)
	sent(t, root, ids[0], back.Add(30*time.Second))
}

func TestHostsLimitEndsAfterTheClockWasSetBack(t *testing.T) {
	root, ids := phones(t, 8)
	for i := range 7 {
		_, err := root.Keyring().ReserveSend(record.User{Name: name(i), UID: uidOf(i)}, ids[i],
			sends, noon)
		testroot.Must(t, err)
	}
	back := noon.AddDate(-1, 0, 0)
	if wait, err := root.Keyring().ReserveSend(record.User{Name: name(7), UID: uidOf(7)}, ids[7],
		sends, back); wait != time.Hour || !errors.Is(err, factor.ErrNotYet) {
		t.Errorf("wait %v, %v", wait, err)
	}
	if _, err := root.Keyring().ReserveSend(record.User{Name: name(7), UID: uidOf(7)}, ids[7],
		sends, back.Add(time.Hour)); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

func TestOfFiftySendsInParallelOnlyTheFirstIsNow(t *testing.T) {
	root, ids := phones(t, 1)
	for round, at := range []time.Time{noon, noon.Add(30 * time.Second),
		noon.Add(90 * time.Second)} {
		if n := atOnce(50, func(int) error {
			_, err := root.Keyring().ReserveSend(record.User{Name: "user0", UID: uid}, ids[0],
				sends, at)
			return err
		}, t); n != 1 || reserved(t, root.Keyring().States, "user0") != round+1 ||
			reserved(t, root.Keyring().Host, "host") != round+1 {
			t.Errorf("round %d: %d sends", round, n)
		}
	}
}

func TestFiftyUsersInParallelSendNoMoreThanTheHostMay(t *testing.T) {
	root, ids := phones(t, 50)
	n := atOnce(50, func(i int) error {
		_, err := root.Keyring().ReserveSend(record.User{Name: name(i), UID: uidOf(i)}, ids[i],
			sends, noon)
		return err
	}, t)
	if n != 7 || reserved(t, root.Keyring().Host, "host") != 7 {
		t.Errorf("%d sends, %d reserved", n, reserved(t, root.Keyring().Host, "host"))
	}
}

// atOnce calls reserve n times in parallel and returns how often it was allowed. Nothing else may
// go wrong.
func atOnce(n int, reserve func(i int) error, t *testing.T) int64 {
	t.Helper()
	var all sync.WaitGroup
	var allowed atomic.Int64
	for i := range n {
		all.Go(func() {
			switch err := reserve(i); {
			case err == nil:
				allowed.Add(1)
			case !errors.Is(err, factor.ErrNotYet):
				t.Error(err)
			}
		})
	}
	all.Wait()
	return allowed.Load()
}

func TestNoMoreSendsFitIntoAnyHourThanTheLimitSays(t *testing.T) {
	root, ids := phones(t, 1)
	var allowed []time.Time
	for later := time.Duration(0); later < 4*time.Hour; later += 17 * time.Second {
		at := noon.Add(later)
		if _, err := root.Keyring().ReserveSend(record.User{Name: "user0", UID: uid}, ids[0],
			sends, at); err == nil {
			allowed = append(allowed, at)
		} else if !errors.Is(err, factor.ErrNotYet) {
			t.Fatal(err)
		}
	}
	for i := range allowed {
		if i >= 5 && allowed[i].Sub(allowed[i-5]) < time.Hour {
			t.Errorf("six within %v", allowed[i].Sub(allowed[i-5]))
		}
	}
	if len(allowed) < 4*5-5 {
		t.Errorf("only %d in four hours", len(allowed))
	}
}

func TestSendKilledAtAnySystemCallIsCountedForTheHostIfItIsForTheUser(t *testing.T) {
	t.Parallel()
	root, ids := phones(t, 1)
	own, host := root.State("user0"), root.Join("var/lib/latchkey/host")
	fresh, freshHost := testroot.Read(t, own), testroot.Read(t, host)
	between := false
	testroot.KillAtEveryCall(t, "send", []string{string(root), fmt.Sprintf("%x", ids[0])},
		func(before string, completed bool) {
			users, hosts := reserved(t, root.Keyring().States, "user0"), reserved(t,
				root.Keyring().Host, "host")
			between = between || hosts == 1 && users == 0
			if users > hosts || hosts > 1 || completed && users == 0 {
				t.Errorf("killed before %s: %d sends of the user, %d of the host", before, users,
					hosts)
			}
			testroot.Write(t, own, fresh)
			testroot.Write(t, host, freshHost)
		})
	if !between {
		t.Error("none was killed between the two")
	}
}

func TestSendThatTheUsersFileCannotHoldIsNotMade(t *testing.T) {
	root, ids := phones(t, 1)
	if _, err := root.Keyring().ReserveSend(record.User{Name: "user0", UID: uid},
		state.DeviceID{1}, sends, noon); !errors.Is(err, factor.ErrRecord) {
		t.Errorf("to a phone that is not there: %v", err)
	}
	if _, err := root.Keyring().ReserveSend(record.User{Name: "user1", UID: uidOf(1)}, ids[0],
		sends, noon); !errors.Is(err, factor.ErrUnenrolled) {
		t.Errorf("to a user who is not there: %v", err)
	}
	if reserved(t, root.Keyring().Host, "host") != 0 {
		t.Error("the host counted it")
	}
}

// pendingOf notes a verification for user0's phone.
func pendingOf(t *testing.T, root testroot.Root, id state.DeviceID, sid string, at time.Time) {
	t.Helper()
	testroot.Must(t, root.Keyring().KeepPending(record.User{Name: "user0", UID: uid},
		state.Pending{Device: id, At: at, SID: sid}))
}

// often are limits that are not reached here.
var often = limit.Guesses{Failures: limit.Rate{Count: state.MaxFailures, Window: time.Hour},
	Lock: time.Hour}

// guessSent is user0 typing a code that no device has, where any code that was sent may be used.
func guessSent(root testroot.Root, at time.Time) (factor.Match, error) {
	account, err := root.Keyring().Open(record.User{Name: "user0", UID: uid})
	if err != nil {
		return factor.Match{}, err
	}
	defer account.Close()
	every := func(state.Pending) bool { return true }
	return account.Verify(factor.Guess{Code: "271828", At: at, AcceptsSent: every}, often)
}

// check reports whether Twilio may be asked about a code of user0's.
func check(root testroot.Root, at time.Time) (bool, error) {
	m, err := guessSent(root, at)
	return m.Result == factor.AskTwilio, err
}

// checked is a guess of user0's that Twilio is to be asked about.
func checked(t *testing.T, root testroot.Root, at time.Time) factor.Match {
	t.Helper()
	m, err := guessSent(root, at)
	if err != nil || m.Result != factor.AskTwilio {
		t.Fatalf("result %d, %v; it should be for Twilio", m.Result, err)
	}
	return m
}

func TestOfFiftyChecksInParallelFiveReachTwilio(t *testing.T) {
	root, ids := phones(t, 1)
	pendingOf(t, root, ids[0], "VE1", noon)
	var all sync.WaitGroup
	var checks atomic.Int64
	for range 50 {
		all.Go(func() {
			ok, err := check(root, noon)
			if err != nil {
				t.Error(err)
			}
			if ok {
				checks.Add(1)
			}
		})
	}
	all.Wait()
	if checks.Load() != 5 {
		t.Errorf("%d checks", checks.Load())
	}
	pendingOf(t, root, ids[0], "VE1", noon.Add(time.Minute)) // a send that joined it
	if ok, _ := check(root, noon.Add(time.Minute)); ok {
		t.Error("asking again gave more checks of the same code")
	}
	pendingOf(t, root, ids[0], "VE2", noon.Add(time.Minute))
	if ok, _ := check(root, noon.Add(time.Minute)); !ok {
		t.Error("another verification has no checks")
	}
}

func TestOfFiftyApprovalsOfOneVerificationOneIsAccepted(t *testing.T) {
	root, ids := phones(t, 1)
	pendingOf(t, root, ids[0], "VE1", noon)
	m := checked(t, root, noon)
	var all sync.WaitGroup
	var accepted, replayed atomic.Int64
	for range 50 {
		all.Go(func() {
			switch result, err := root.Keyring().EndCheck(record.User{Name: "user0", UID: uid}, m,
				0, factor.Approved, often, noon); {
			case err != nil:
				t.Error(err)
			case result == factor.Accepted:
				accepted.Add(1)
			case result == factor.Replayed:
				replayed.Add(1)
			}
		})
	}
	all.Wait()
	if accepted.Load() != 1 || replayed.Load() != 49 {
		t.Errorf("%d accepted, %d replayed", accepted.Load(), replayed.Load())
	}
}

func TestWhatIsNotPendingIsNotCheckedAtTwilio(t *testing.T) {
	root, ids := phones(t, 1)
	for text, c := range map[string]struct {
		id state.DeviceID
		at time.Time
	}{
		"a code that has expired":         {ids[0], noon.Add(-10 * time.Minute)},
		"a code of a phone that was lost": {state.DeviceID{1}, noon},
	} {
		pendingOf(t, root, c.id, "VE1", c.at)
		if ok, err := check(root, noon); ok || err != nil {
			t.Errorf("%s: %v, %v", text, ok, err)
		}
	}
}

func TestClockSetBackRefusesNoCodeThatWasSent(t *testing.T) {
	root, ids := phones(t, 1)
	pendingOf(t, root, ids[0], "VE1", noon)
	checked(t, root, noon.Add(-time.Minute))
}

func TestApprovalOfAnotherVerificationIsNotAccepted(t *testing.T) {
	root, ids := phones(t, 1)
	pendingOf(t, root, ids[0], "VE2", noon)
	m := checked(t, root, noon)
	m.Checks[0].Pending.SID = "VE1"
	result, err := root.Keyring().EndCheck(record.User{Name: "user0", UID: uid}, m, 0,
		factor.Approved, often, noon)
	if result != factor.Replayed || err != nil {
		t.Errorf("result %d, %v", result, err)
	}
	if ok, _ := check(root, noon); !ok {
		t.Error("it ended the other one")
	}
}

func TestOnlyAPhonesLatestVerificationIsReported(t *testing.T) {
	root, ids := phones(t, 1)
	pendingOf(t, root, ids[0], "VE1", noon)
	later := noon.Add(10 * time.Minute)
	sent(t, root, ids[0], later) // reserved, and Twilio has not named it
	account, err := root.Keyring().Open(record.User{Name: "user0", UID: uid})
	testroot.Must(t, err)
	defer account.Close()
	if phone, got := account.LatestSent(later,
		func(state.Pending) bool { return true }); phone != nil || got != factor.None {
		t.Errorf("got %v, standing %d; want none", phone, got)
	}
}

// The secret of an app must never leave as if it were a number.
func TestNothingIsReservedForADeviceThatIsNoPhone(t *testing.T) {
	root, ids := phones(t, 1)
	app := testroot.TOTP("app")
	testroot.Must(t, root.Store().Add(enrollment.ByRoot(), record.User{Name: "user0", UID: uid},
		app, 0))
	for name, id := range map[string]state.DeviceID{"an app": app.ID, "none": {1}} {
		if _, err := root.Keyring().ReserveSend(record.User{Name: "user0", UID: uid}, id, sends,
			noon); !errors.Is(err, factor.ErrRecord) {
			t.Errorf("%s: got %v, want an error of the record", name, err)
		}
	}
	sent(t, root, ids[0], noon)
}
