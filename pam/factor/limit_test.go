package factor_test

import (
	"errors"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// enrolled is alice with a phone, its code now, and one that is wrong at all times of a test that
// lasts a day to either side.
func enrolled(t *testing.T) (root testroot.Root, phone record.Device, wrong string) {
	t.Helper()
	phone = testroot.TOTP("phone")
	phone.Digits = 8
	root = testroot.New(t)
	root.Enroll(t, "alice", uid, phone)
	return root, phone, "00000000"
}

func failures(t *testing.T, root testroot.Root) int {
	t.Helper()
	st, err := root.Keyring().States.View("alice")
	testroot.Must(t, err)
	return len(st.Failures)
}

// onDisk is alice's state as a crash at this instant would leave it: her account may be locked.
func onDisk(t *testing.T, root testroot.Root) *state.State {
	t.Helper()
	other := testroot.New(t)
	testroot.Write(t, other.State("alice"), testroot.Read(t, root.State("alice")))
	st, err := other.Keyring().States.View("alice")
	testroot.Must(t, err)
	return st
}

func TestWhatBecameOfAGuessIsOnDiskWhenItIsKnown(t *testing.T) {
	root, phone, wrong := enrolled(t)
	for i, c := range []struct {
		code           string
		failures, used int
	}{{wrong, 1, 0}, {wrong, 2, 0}, {testroot.Code(t, phone, noon), 2, 1}} {
		account := open(t, root)
		_, err := compare(account, c.code, noon, three, every)
		testroot.Must(t, err)
		st := onDisk(t, root)
		used := int(st.Devices[0].Counter) / (int(noon.Unix()) / 30)
		if len(st.Failures) != c.failures || used != c.used {
			t.Errorf("guess %d: got %d failures, used %d; want %d and %d", i+1, len(st.Failures),
				used, c.failures, c.used)
		}
		account.Close()
	}
}

func TestGuessThatCannotBeChargedIsNotAnswered(t *testing.T) {
	root, phone, wrong := enrolled(t)
	for _, code := range []string{testroot.Code(t, phone, noon), wrong} {
		account := open(t, root)
		account.State.Close() // so that writing fails
		m, err := compare(account, code, noon, three, every)
		if !errors.Is(err, factor.ErrState) || !errors.Is(err, state.ErrSave) || m.Result != 0 ||
			m.Device != nil {
			t.Errorf("code %s: got %+v, %v; want nothing but ErrSave", code, m, err)
		}
	}
}

func TestLimitLocksAndTheLockEndsByItself(t *testing.T) {
	root, phone, wrong := enrolled(t)
	for range 3 {
		expect(t, root, wrong, noon, factor.Wrong)
	}
	right := func(at time.Time) string { return testroot.Code(t, phone, at) }
	for _, later := range []time.Duration{0, time.Second, 15*time.Minute - time.Second} {
		expect(t, root, right(noon.Add(later)), noon.Add(later), factor.Locked)
		expect(t, root, wrong, noon.Add(later), factor.Locked)
	}
	end := noon.Add(15 * time.Minute)
	st, err := root.Keyring().States.View("alice")
	testroot.Must(t, err)
	if got := three.Lockout(st, noon); !got.Until.Equal(end) {
		t.Errorf("got lockout %+v, want until %v", got, end)
	}
	expect(t, root, right(end), end, factor.Accepted)
	if n := failures(t, root); n != 0 {
		t.Errorf("%d failures are left", n)
	}
}

func TestAfterALockTheWholeLimitIsThereAgain(t *testing.T) {
	root, phone, wrong := enrolled(t)
	for range 3 {
		expect(t, root, wrong, noon, factor.Wrong)
	}
	end := noon.Add(15 * time.Minute)
	for range 3 {
		expect(t, root, wrong, end, factor.Wrong)
	}
	expect(t, root, testroot.Code(t, phone, end), end, factor.Locked)
}

func TestOnlyFailuresWithinTheWindowCount(t *testing.T) {
	root, phone, wrong := enrolled(t)
	expect(t, root, wrong, noon, factor.Wrong)
	expect(t, root, wrong, noon.Add(time.Minute), factor.Wrong)
	expect(t, root, wrong, noon.Add(10*time.Minute), factor.Wrong) // the first is over
	later := noon.Add(10*time.Minute + 30*time.Second)
	expect(t, root, testroot.Code(t, phone, later), later, factor.Accepted)
	expect(t, root, wrong, later, factor.Wrong) // the third of 10 minutes
	expect(t, root, wrong, later, factor.Locked)
}

func TestRightCodeGivesBackItsOwnChargeOnly(t *testing.T) {
	root, phone, wrong := enrolled(t)
	expect(t, root, wrong, noon, factor.Wrong)
	expect(t, root, wrong, noon, factor.Wrong)
	for i := range 5 {
		at := noon.Add(time.Duration(i) * 30 * time.Second)
		expect(t, root, testroot.Code(t, phone, at), at, factor.Accepted)
		if n := failures(t, root); n != 2 {
			t.Errorf("%d failures after right code %d", n, i+1)
		}
	}
	expect(t, root, wrong, noon.Add(3*time.Minute), factor.Wrong)
	expect(t, root, testroot.Code(t, phone, noon.Add(3*time.Minute)), noon.Add(3*time.Minute),
		factor.Locked)
}

func TestReplayedCodeCostsNothing(t *testing.T) {
	root, phone, wrong := enrolled(t)
	code := testroot.Code(t, phone, noon)
	expect(t, root, code, noon, factor.Accepted)
	for range 20 {
		expect(t, root, code, noon, factor.Replayed)
	}
	if n := failures(t, root); n != 0 {
		t.Errorf("%d failures", n)
	}
	expect(t, root, wrong, noon, factor.Wrong)
}

func TestLockDoesNotOutlastAClockThatIsSetBack(t *testing.T) {
	root, phone, wrong := enrolled(t)
	for range 3 {
		expect(t, root, wrong, noon, factor.Wrong)
	}
	back := noon.Add(-12 * time.Hour)
	right := func(at time.Time) string { return testroot.Code(t, phone, at) }
	expect(t, root, right(back), back, factor.Locked)
	almost := back.Add(15*time.Minute - time.Second)
	expect(t, root, right(almost), almost, factor.Locked)
	end := back.Add(15 * time.Minute)
	expect(t, root, right(end), end, factor.Accepted)
}

func TestFailuresFromTheFutureCountAsOfNow(t *testing.T) {
	root, phone, wrong := enrolled(t)
	expect(t, root, wrong, noon, factor.Wrong)
	expect(t, root, wrong, noon, factor.Wrong)
	back := noon.Add(-12 * time.Hour)
	expect(t, root, wrong, back, factor.Wrong)
	expect(t, root, testroot.Code(t, phone, back), back, factor.Locked)
	end := back.Add(15 * time.Minute)
	expect(t, root, testroot.Code(t, phone, end), end, factor.Accepted)
}

func TestLockThatIsLoweredInThePolicyHoldsForTheNewTime(t *testing.T) {
	root, _, wrong := enrolled(t)
	for range 3 {
		expect(t, root, wrong, noon, factor.Wrong)
	}
	st := &open(t, root).State.State
	short := three
	short.Lock = time.Minute
	if got := short.Lockout(st, noon); !got.Until.Equal(noon.Add(time.Minute)) {
		t.Errorf("got lockout %+v", got)
	}
}

func TestAtTheLargestLimitTheStateHoldsEveryFailure(t *testing.T) {
	root, phone, wrong := enrolled(t)
	most := limit.Guesses{Failures: limit.Rate{Count: state.MaxFailures, Window: time.Hour},
		Lock: time.Hour}
	guess := func(code string) factor.Result {
		account := open(t, root)
		defer account.Close()
		m, err := compare(account, code, noon, most, every)
		testroot.Must(t, err)
		return m.Result
	}
	for i := range state.MaxFailures {
		if got := guess(wrong); got != factor.Wrong {
			t.Fatalf("guess %d: result %d", i+1, got)
		}
	}
	if got := guess(testroot.Code(t, phone, noon)); got != factor.Locked {
		t.Errorf("result %d", got)
	}
}

func TestHundredWrongCodesInARowLockUntilRootUnlocks(t *testing.T) { // FAULTS 39
	root, phone, wrong := enrolled(t)
	slow := three
	slow.Consecutive = 100
	guess := func(code string, at time.Time) factor.Match {
		account := open(t, root)
		defer account.Close()
		m, err := compare(account, code, at, slow, every)
		testroot.Must(t, err)
		return m
	}
	at := noon
	for i := range 100 {
		if m := guess(wrong, at); m.Result != factor.Wrong || m.Lockout.UntilRoot != (i == 99) {
			t.Fatalf("guess %d: got %+v", i+1, m)
		}
		at = at.Add(30 * time.Minute)
	}
	at = at.AddDate(1, 0, 0)
	if m := guess(testroot.Code(t, phone, at), at); m.Result != factor.Locked ||
		!m.Lockout.UntilRoot {
		t.Errorf("the right code a year later: got %+v, want locked until root unlocks", m)
	}
	if was, err := root.Store().Unlock(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		slow, at); !was || err != nil {
		t.Errorf("unlock: got %v, %v", was, err)
	}
	if m := guess(testroot.Code(t, phone, at), at); m.Result != factor.Accepted {
		t.Errorf("the right code after that: got %+v", m)
	}
}

func TestRightCodeEndsTheRow(t *testing.T) {
	root, phone, wrong := enrolled(t)
	slow := three
	slow.Consecutive = 5
	at := noon
	for round := range 20 {
		for range 4 {
			account := open(t, root)
			m, err := compare(account, wrong, at, slow, every)
			testroot.Must(t, err)
			if m.Result != factor.Wrong {
				t.Fatalf("round %d: got %+v", round, m)
			}
			account.Close()
			at = at.Add(10 * time.Minute)
		}
		account := open(t, root)
		m, err := compare(account, testroot.Code(t, phone, at), at, slow, every)
		testroot.Must(t, err)
		if m.Result != factor.Accepted || m.Refused.Count != 4 {
			t.Fatalf("round %d: got %+v, want accepted after 4 refused", round, m)
		}
		account.Close()
		at = at.Add(10 * time.Minute)
	}
}

func TestNoNumberOfWrongCodesInARowLocksWhereThatIsOff(t *testing.T) {
	root, _, wrong := enrolled(t)
	at := noon
	for i := range 150 {
		expect(t, root, wrong, at, factor.Wrong)
		if at = at.Add(time.Hour); i == 149 {
			expect(t, root, wrong, at, factor.Wrong)
		}
	}
}
