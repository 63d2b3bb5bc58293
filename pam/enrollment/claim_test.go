package enrollment_test

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

// many are limits that let a user send often: these tests are about the bounds of a number.
var many = limit.Sends{
	User: limit.Rate{Count: 500, Window: time.Hour},
	Host: limit.Rate{Count: 500, Window: time.Hour},
}

var guesses = limit.Guesses{
	Failures: limit.Rate{Count: 10, Window: 10 * time.Minute},
	Lock:     15 * time.Minute,
}

func claimOf(user int, number string) enrollment.Claim {
	return enrollment.Claim{
		User:   record.User{Name: name(user), UID: uid + uint32(user)},
		Number: number,
	}
}

const claimedNumber = "+15551230000"

// sends reserves a send and reports whether it was allowed.
func claimSent(t *testing.T, root testroot.Root, c enrollment.Claim, at time.Time) bool {
	t.Helper()
	wait, err := root.Store().ReserveClaim(c, many, guesses, at)
	if err != nil && !errors.Is(err, factor.ErrNotYet) || (err == nil) != (wait == 0) {
		t.Fatalf("wait %v, %v", wait, err)
	}
	return err == nil
}

// checks reserves a comparison and reports whether it was allowed.
func claimChecked(t *testing.T, root testroot.Root, c enrollment.Claim, at time.Time) bool {
	t.Helper()
	p, err := root.Store().CheckClaim(c, guesses, at)
	testroot.Must(t, err)
	return p.Result == factor.AskTwilio
}

// FAULTS 40
func TestSendsAndChecksOfANumberAreLimitedPerUserAndPerHost(t *testing.T) {
	limitedPerUser(t, claimOf)
}

// In a fleet no user has a uid.
func TestUsersWithoutUIDsHaveLimitsOfTheirOwn(t *testing.T) {
	limitedPerUser(t, func(user int, number string) enrollment.Claim {
		return enrollment.Claim{User: record.User{Name: name(user)}, Number: number}
	})
}

func limitedPerUser(t *testing.T, claimOf func(user int, number string) enrollment.Claim) {
	t.Helper()
	root := testroot.New(t)
	at := noon
	for user, want := range []int{2, 1, 0} {
		c := claimOf(user, claimedNumber)
		sends, checks := 0, 0
		for range 6 {
			at = at.Add(31 * time.Second)
			if claimSent(t, root, c, at) {
				sends++
			}
		}
		for range 6 {
			if claimChecked(t, root, c, at) {
				checks++
			}
		}
		if sends != want || checks != want {
			t.Errorf("user %d: %d sends and %d checks, want %d of each", user, sends, checks, want)
		}
	}
	if c := claimOf(0, "+15551239999"); !claimSent(t, root, c, at) ||
		!claimChecked(t, root, c, at) {
		t.Error("another number must wait for this one")
	}
}

func TestUseOfANumberIsForgottenACodesLifeAfterItsLast(t *testing.T) {
	root := testroot.New(t)
	c := claimOf(0, claimedNumber)
	if !claimSent(t, root, c, noon) || !claimSent(t, root, c, noon.Add(30*time.Second)) ||
		!claimChecked(t, root, c, noon.Add(9*time.Minute)) {
		t.Fatal("what is allowed was refused")
	}
	if claimSent(t, root, c, noon.Add(18*time.Minute+59*time.Second)) {
		t.Error("a third send, while what the last check was made of may live")
	}
	if !claimSent(t, root, c, noon.Add(19*time.Minute)) {
		t.Error("the number is never free again")
	}
}

func TestExpiredCodeOfAClaimIsNotCompared(t *testing.T) {
	root := testroot.New(t)
	c := claimOf(0, claimedNumber)
	claimSent(t, root, c, noon)
	p, err := root.Store().CheckClaim(c, guesses, noon.Add(10*time.Minute))
	if err != nil || p.Result != factor.Impossible {
		t.Errorf("got %+v, %v", p, err)
	}
}

func TestTheSecondSendToANumberWaits(t *testing.T) {
	root := testroot.New(t)
	c := claimOf(0, claimedNumber)
	claimSent(t, root, c, noon)
	if claimSent(t, root, c, noon.Add(29*time.Second)) {
		t.Error("it was sent again at once")
	}
	atOnce := many
	atOnce.AtOnce = true
	if _, err := root.Store().ReserveClaim(c, atOnce, guesses, noon.Add(time.Second)); err != nil {
		t.Errorf("the call after an SMS that was refused: %v", err)
	}
}

func TestWaitOfAClaimEndsAfterTheClockWasSetBack(t *testing.T) {
	root := testroot.New(t)
	c := claimOf(0, claimedNumber)
	claimSent(t, root, c, noon)
	claimSent(t, root, c, noon.Add(time.Minute))
	back := noon.AddDate(-1, 0, 0)
	if claimSent(t, root, c, back) {
		t.Error("a clock that is set back makes more sends possible")
	}
	if !claimSent(t, root, c, back.Add(10*time.Minute)) {
		t.Error("the number stays blocked until the clock is where it was")
	}
}

// FAULTS 40, in parallel
func TestOfFiftyClaimsInParallelOnlyTwoAreChecked(t *testing.T) {
	root := testroot.New(t)
	c := claimOf(0, claimedNumber)
	limits := guesses
	limits.Failures.Count = 64
	_, err := root.Store().ReserveClaim(c, many, limits, noon)
	testroot.Must(t, err)
	var all sync.WaitGroup
	var asked atomic.Int64
	for range 50 {
		all.Go(func() {
			p, err := root.Store().CheckClaim(c, limits, noon)
			if err != nil {
				t.Error(err)
			}
			if p.Result == factor.AskTwilio {
				asked.Add(1)
			}
		})
	}
	all.Wait()
	st, err := root.Keyring().States.View(c.Name)
	testroot.Must(t, err)
	if asked.Load() != 2 || len(st.Failures) != 2 {
		t.Errorf("%d checks and %d failures, want 2 and 2", asked.Load(), len(st.Failures))
	}
}

func TestALockedUserProvesNoNumber(t *testing.T) {
	root := testroot.New(t)
	c, limits := claimOf(0, claimedNumber), guesses
	limits.Failures.Count = 1
	_, err := root.Store().ReserveClaim(c, many, limits, noon)
	testroot.Must(t, err)
	p, err := root.Store().CheckClaim(c, limits, noon)
	testroot.Must(t, err)
	if p.Result != factor.AskTwilio {
		t.Fatalf("got %+v", p)
	}
	p, err = root.Store().CheckClaim(c, limits, noon)
	if err != nil || p.Result != factor.Locked || p.Enough {
		t.Errorf("a check: %+v, %v", p, err)
	}
	_, err = root.Store().ReserveClaim(c, many, limits, noon.Add(time.Minute))
	if !errors.Is(err, enrollment.ErrLocked) {
		t.Errorf("a send: %v", err)
	}
}

func TestAnApprovedClaimCostsNothingAndFreesTheNumber(t *testing.T) {
	root := testroot.New(t)
	c := claimOf(0, claimedNumber)
	claimSent(t, root, c, noon)
	claimChecked(t, root, c, noon)
	p, err := root.Store().CheckClaim(c, guesses, noon.Add(time.Minute))
	testroot.Must(t, err)
	testroot.Must(t, root.Store().EndClaim(c, p, guesses))
	st, err := root.Keyring().States.View(c.Name)
	testroot.Must(t, err)
	if len(st.Failures) != 1 || !st.Failures[0].Equal(noon) || st.Refused.Count != 1 {
		t.Errorf("failures %v, %d refused; want the wrong one alone", st.Failures,
			st.Refused.Count)
	}
	host, err := root.Keyring().Host.View("host")
	testroot.Must(t, err)
	if len(host.Devices) != 0 {
		t.Errorf("the host still counts %v", host.Devices)
	}
}

func TestNumbersProvenAtOnceAreLimited(t *testing.T) {
	root := testroot.New(t)
	for n := range state.MaxDevices {
		if !claimSent(t, root, claimOf(0, fmt.Sprintf("+1555123%04d", n)), noon) {
			t.Fatalf("number %d was refused", n)
		}
	}
	c := claimOf(0, "+15551239999")
	if claimSent(t, root, c, noon.Add(time.Minute)) {
		t.Error("a number that is not counted got a code")
	}
	if !claimSent(t, root, c, noon.Add(10*time.Minute)) {
		t.Error("there is never room again")
	}
}

func TestHostFileDoesNotContainANumber(t *testing.T) {
	root := testroot.New(t)
	claimSent(t, root, claimOf(0, claimedNumber), noon)
	host, err := root.Keyring().Host.View("host")
	testroot.Must(t, err)
	other := testroot.New(t)
	claimSent(t, other, claimOf(0, claimedNumber), noon)
	elsewhere, err := other.Keyring().Host.View("host")
	testroot.Must(t, err)
	if host.Devices[0].ID == elsewhere.Devices[0].ID {
		t.Error("two hosts know a number by the same name: it can be found by trying all numbers")
	}
}

func TestProofDoesNotRestoreAResetUser(t *testing.T) {
	root := testroot.New(t)
	c := claimOf(0, claimedNumber)
	claimSent(t, root, c, noon)
	testroot.Must(t, root.Store().Reset(enrollment.ByRoot(), c.Name))
	if _, err := root.Store().CheckClaim(c, guesses, noon); !errors.Is(err, factor.ErrState) {
		t.Errorf("got %v, want ErrState", err)
	}
	if _, err := root.Keyring().States.View(c.Name); err == nil {
		t.Error("the state is back")
	}
}
