package flow_test

import (
	"os"
	"testing"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

// What happens to alice's files between the prompt and her answer.

// meanwhile lets something happen once, while she is asked first.
func (w *world) meanwhile(happens func()) {
	w.onAsk = func() {
		w.onAsk = nil
		happens()
	}
}

func TestDeviceReplacedMeanwhileCountsAndTheOldOneDoesNot(t *testing.T) {
	w := newWorld(t, "")
	tablet := testroot.TOTP("tablet")
	w.meanwhile(func() {
		testroot.Must(t, w.root.Store().Add(enrollment.ByRoot(),
			record.User{Name: "alice", UID: uid}, tablet, 0))
		testroot.Must(t, w.root.Store().Remove(enrollment.ByRoot(),
			record.User{Name: "alice", UID: uid}, "phone"))
	})
	o := w.login(request(), w.code(), testroot.Code(t, tablet, w.now))
	w.expect(o, true, verdict.OK, success, wrongText)
	if o.Device != "tablet" || o.Tries != 2 {
		t.Errorf("outcome is %+v", o)
	}
}

func TestResetDuringTheLoginIsADenialUnderAnyPolicy(t *testing.T) {
	for _, policy := range []string{"", `unenrolled = "allow"`, "enroll_by = 2099-01-01"} {
		w := newWorld(t, policy)
		w.meanwhile(func() {
			testroot.Must(t,
				w.root.Store().Reset(enrollment.ByRoot(), "alice"))
		})
		o := w.login(request(), w.code())
		w.expect(o, false, verdict.Unenrolled, maxTries, resetText)
		if _, err := os.Lstat(w.root.State("alice")); err == nil {
			t.Error("the state came back")
		}
	}
}

func TestResetAndANewEnrollmentMeanwhileLeaveOnlyTheNewDevice(t *testing.T) {
	w := newWorld(t, "")
	tablet := testroot.TOTP("tablet")
	w.meanwhile(func() {
		testroot.Must(t, w.root.Store().Reset(enrollment.ByRoot(), "alice"))
		testroot.Must(t, w.root.Store().Add(enrollment.ByRoot(),
			record.User{Name: "alice", UID: uid}, tablet, 0))
	})
	o := w.login(request(), w.code(), testroot.Code(t, tablet, w.now))
	w.expect(o, true, verdict.OK, success, wrongText)
}

func TestSameDeviceEnrolledAgainDuringTheLoginKeepsWhatItHasUsed(t *testing.T) {
	w := newWorld(t, "")
	w.meanwhile(func() {
		testroot.Must(t, w.root.Store().Reset(enrollment.ByRoot(), "alice"))
		testroot.Must(t, w.root.Store().Add(enrollment.ByRoot(),
			record.User{Name: "alice", UID: uid}, w.phone, uint64(w.now.Unix()/30)))
	})
	w.expect(w.login(request(), w.code(), noMore), false, verdict.NoAnswer, convErr, replayText)
}

func TestRecordMadeUnreadableMeanwhileIsADenial(t *testing.T) {
	w := newWorld(t, "")
	w.meanwhile(func() { testroot.Must(t, os.Chmod(w.root.Record("alice"), 0o644)) })
	w.expect(w.login(request(), w.code()), false, verdict.Record, unavailable, sorryText)
}

func TestStateRestoredMeanwhileIsNoStateOfThisRecord(t *testing.T) {
	w := newWorld(t, "")
	old := testroot.Read(t, w.root.State("alice"))
	w.root.Enroll(t, "alice", uid, testroot.TOTP("tablet"), w.phone)
	w.meanwhile(func() { testroot.Write(t, w.root.State("alice"), old) })
	o := w.login(request(), w.code())
	w.expect(o, false, verdict.State, unavailable, sorryText)
	w.detail(o, "another enrollment")
}

func TestNoLockIsHeldWhileTheUserIsAsked(t *testing.T) {
	w := newWorld(t, "")
	asked := 0
	w.onAsk = func() {
		asked++
		keyring := w.root.KeyringWaiting(safefile.Patience{})
		account, err := keyring.Open(record.User{Name: "alice", UID: uid})
		if err != nil {
			t.Error(err)
			return
		}
		account.Close()
	}
	w.login(request(), w.wrong(), w.wrong(), w.code())
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
}

func TestEnrollmentReplacedMeanwhileCountsAndTheOldOneDoesNot(t *testing.T) {
	w := newWorld(t, "")
	google := testroot.TOTP("google")
	w.meanwhile(func() {
		e := enrollment.Enrollment{Devices: []record.Device{google}, Counters: []uint64{0},
			Recovery: enrollment.ImportedRecovery([]string{"12345678"})}
		testroot.Must(t, w.root.Store().Replace(enrollment.ByRoot(),
			record.User{Name: "alice", UID: uid}, e))
	})
	o := w.login(request(), w.code(), testroot.Code(t, google, w.now))
	w.expect(o, true, verdict.OK, success,
		"Only 1 recovery code is left. For new ones run: enroll codes")
	w.saw(firstText, wrongText, "Only 1 recovery code is left. For new ones run: enroll codes")
}
