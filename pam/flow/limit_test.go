package flow_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// lock types wrong codes until alice is locked out.
func lock(w *world) {
	w.t.Helper()
	for range 3 {
		w.login(request(), w.wrongs(3)...)
	}
	o := w.login(request(), w.wrong())
	w.expect(o, false, verdict.Wrong, maxTries, "Too many wrong codes. Try again in 15 minutes.")
	w.detail(o, "locked until 2027-01-31T12:15:15Z")
}

func TestTenWrongCodesLockAndNoOneIsAskedUntilTheLockEnds(t *testing.T) {
	w := newWorld(t, "")
	lock(w)
	o := w.login(request())
	w.expect(o, false, verdict.Locked, maxTries, "Too many wrong codes. Try again in 15 minutes.")
	w.detail(o, "until 2027-01-31T12:15:15Z")
	w.now = w.now.Add(15*time.Minute - time.Second)
	w.expect(w.login(request()), false, verdict.Locked, maxTries,
		"Too many wrong codes. Try again in a minute.")
	w.now = w.now.Add(time.Second)
	w.expect(w.login(request(), w.code()), true, verdict.OK, success,
		"10 wrong codes were refused since Sun 31 Jan 12:00, the last from 192.0.2.7.")
}

func TestLockDuringALoginHoldsForTheUserBeingAsked(t *testing.T) {
	w := newWorld(t, "")
	w.onAsk = func() {
		w.onAsk = nil
		for range limits.Failures.Count {
			account, err := w.root.Keyring().Open(record.User{Name: "alice", UID: uid})
			testroot.Must(t, err)
			_, err = account.Verify(factor.Guess{Code: w.wrong(), At: w.now,
				Accepts: func(method.Method) bool { return true }}, limits)
			testroot.Must(t, err)
			account.Close()
		}
	}
	o := w.login(request(), w.code())
	w.expect(o, false, verdict.Locked, maxTries, "Too many wrong codes. Try again in 15 minutes.")
	if o.Method != "" || o.Tries != 1 {
		t.Errorf("outcome is %+v", o)
	}
}

func TestLockEndsAlthoughTheClockWasSetBack(t *testing.T) {
	w := newWorld(t, "")
	lock(w)
	w.now = w.now.Add(-24 * time.Hour)
	w.expect(w.login(request()), false, verdict.Locked, maxTries,
		"Too many wrong codes. Try again in 15 minutes.")
	w.now = w.now.Add(15 * time.Minute)
	w.expect(w.login(request(), w.code()), true, verdict.OK, success,
		"10 wrong codes were refused since Sun 31 Jan 12:00, the last from 192.0.2.7.")
}

func TestPolicySaysHowManyFailuresAndHowLongALock(t *testing.T) {
	w := newWorld(t, "[limits]\nfailures = \"2/1m\"\nlock = \"1h\"\n")
	o := w.login(request(), w.wrongs(2)...)
	w.expect(o, false, verdict.Wrong, maxTries, "Too many wrong codes. Try again in 60 minutes.")
	if o.Tries != 2 {
		t.Errorf("outcome is %+v", o)
	}
}

func TestLockOfOneUserIsNoLockOfAnother(t *testing.T) {
	w := newWorld(t, "")
	lock(w)
	tablet := testroot.TOTP("tablet")
	w.root.Enroll(t, "bob", uid+1, tablet)
	r := request()
	r.User, r.Name, r.UID = "bob", "bob", uid+1
	w.expect(w.login(r, testroot.Code(t, tablet, w.now)), true, verdict.OK, success, firstText)
}

func TestDamagedSlotIsToldInTheLogAndIsNoDenial(t *testing.T) {
	w := newWorld(t, "")
	file := testroot.Read(t, w.root.State("alice"))
	file[100] ^= 1
	testroot.Write(t, w.root.State("alice"), file)
	o := w.login(request(), w.code())
	w.expect(o, true, verdict.OK, success, firstText)
	w.detail(o, "slot 1 of the state is damaged")
	w.now = w.now.Add(time.Minute)
	if o := w.login(request(), w.code()); strings.Contains(o.Detail, "damaged") {
		t.Errorf("it is damaged still: %+v", o)
	}
}

// FAULTS 39.
func TestHundredWrongCodesInARowLockUntilRootUnlocks(t *testing.T) {
	w := newWorld(t, "[limits]\nconsecutive = 4\n")
	w.login(request(), append(w.wrongs(2), noMore)...)
	w.now = w.now.Add(24 * time.Hour)
	o := w.login(request(), w.wrongs(2)...)
	const text = "Too many wrong codes in a row. Only your administrator can unlock this account."
	w.expect(o, false, verdict.Wrong, maxTries, text)
	w.now = w.now.AddDate(1, 0, 0)
	o = w.login(request())
	w.expect(o, false, verdict.Locked, maxTries, text)
	w.detail(o, "enroll unlock alice")
	_, err := w.root.Store().Unlock(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		limits, w.now)
	testroot.Must(t, err)
	w.expect(w.login(request(), w.code()), true, verdict.OK, success, firstText)
}

// FAULTS 39.
func TestUserIsToldOfWrongCodesBeforeThisLoginOnceAndAfterSuccess(t *testing.T) {
	w := newWorld(t, "")
	stranger := request()
	stranger.From = "198.51.100.9"
	w.login(stranger, append(w.wrongs(2), noMore)...)
	w.now = w.now.Add(time.Hour)
	w.login(request(), w.wrongs(2)[1], w.code())
	w.saw(firstText, wrongText,
		"2 wrong codes were refused since Sun 31 Jan 12:00, the last from 198.51.100.9.")
	w.now = w.now.Add(time.Minute)
	w.login(request(), w.code())
	w.saw(firstText)
	w.now = w.now.Add(time.Minute)
	w.login(request(), w.wrong(), w.code())
	w.saw(firstText, wrongText) // her own mistake, just now
}

func TestUserWhoTypesACodeByPhoneIsToldOfTheSameWrongCodes(t *testing.T) {
	w := newPhoneWorld(t, "")
	stranger := request()
	stranger.From = "198.51.100.9"
	w.login(stranger, append(w.wrongs(2), noMore)...)
	w.now = w.now.Add(time.Hour)
	w.login(request(), "sms", w.wrongs(3)[2], sentCode)
	w.saw(bothFirst, bySMS, bothWrong,
		"2 wrong codes were refused since Sun 31 Jan 12:00, the last from 198.51.100.9.")
}
