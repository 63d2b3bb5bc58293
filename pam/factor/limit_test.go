package factor_test

import (
	"errors"
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// enrolled is alice with a phone, its code now, and one that is wrong at all times of a test that lasts a day to either side.
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

func TestAGuessIsChargedOnDiskBeforeItIsCompared(t *testing.T) {
	root, phone, wrong := enrolled(t)
	for i, code := range []string{wrong, wrong, testroot.Code(t, phone, noon)} {
		compared := 0
		account := open(t, root)
		_, err := account.Verify(code, noon, three, func(record.Type) bool {
			compared++
			// The lock is held, so what is on the disk is looked at in a copy.
			other := testroot.New(t)
			testroot.Write(t, other.State("alice"), testroot.Read(t, root.State("alice")))
			st, err := other.Keyring().States.View("alice")
			testroot.Must(t, err)
			if len(st.Failures) != i+1 || st.Locked.IsZero() != (i < 2) {
				t.Errorf("guess %d: the file has %d failures, locked %v", i+1, len(st.Failures), st.Locked)
			}
			return true
		})
		if err != nil || compared != 1 {
			t.Errorf("guess %d: compared %d times, %v", i+1, compared, err)
		}
		account.Close()
	}
}

func TestAGuessThatCannotBeChargedIsNotCompared(t *testing.T) {
	root, phone, _ := enrolled(t)
	account := open(t, root)
	account.State.Close() // so that writing fails
	m, err := account.Verify(testroot.Code(t, phone, noon), noon, three, func(record.Type) bool {
		t.Error("it was compared")
		return true
	})
	if !errors.Is(err, factor.ErrState) || !errors.Is(err, state.ErrSave) || m.Result == factor.Accepted {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestARightCodeThatCannotBeBookedIsNotAccepted(t *testing.T) {
	root, phone, _ := enrolled(t)
	account := open(t, root)
	m, err := account.Verify(testroot.Code(t, phone, noon), noon, three, func(record.Type) bool {
		account.State.Close()
		return true
	})
	if !errors.Is(err, state.ErrSave) || m.Result == factor.Accepted {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestTheLimitLocksAndTheLockEndsByItself(t *testing.T) {
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
	if until := three.LockedUntil(st, noon); !until.Equal(end) {
		t.Errorf("locked until %v", until)
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

func TestARightCodeGivesBackItsOwnChargeOnly(t *testing.T) {
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
	expect(t, root, testroot.Code(t, phone, noon.Add(3*time.Minute)), noon.Add(3*time.Minute), factor.Locked)
}

func TestAReplayedCodeCostsNothing(t *testing.T) {
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

func TestALockDoesNotOutlastAClockThatIsSetBack(t *testing.T) {
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

func TestALockThatIsLoweredInThePolicyHoldsForTheNewTime(t *testing.T) {
	root, _, wrong := enrolled(t)
	for range 3 {
		expect(t, root, wrong, noon, factor.Wrong)
	}
	st := &open(t, root).State.State
	short := three
	short.Lock = time.Minute
	if until := short.LockedUntil(st, noon); !until.Equal(noon.Add(time.Minute)) {
		t.Errorf("locked until %v", until)
	}
}

func TestAtTheLargestLimitTheStateHoldsEveryFailure(t *testing.T) {
	root, phone, wrong := enrolled(t)
	most := factor.Limits{Failures: state.MaxFailures, Window: time.Hour, Lock: time.Hour}
	guess := func(code string) factor.Result {
		account := open(t, root)
		defer account.Close()
		m, err := account.Verify(code, noon, most, every)
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
