package factor_test

import (
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

func TestCodeThatWasSentWaitsTenMinutes(t *testing.T) {
	root, ids := phones(t, 1)
	pendingOf(t, root, ids[0], "VE1", noon)
	account, err := root.Keyring().Open(record.User{Name: "user0", UID: uid})
	testroot.Must(t, err)
	defer account.Close()
	every := func(state.Pending) bool { return true }
	for age, want := range map[time.Duration]factor.Standing{
		-time.Hour: factor.Waiting, 0: factor.Waiting,
		10*time.Minute - time.Second: factor.Waiting, 10 * time.Minute: factor.Outlived,
	} {
		if phone, got := account.LatestSent(noon.Add(age), every); got != want ||
			phone.ID != ids[0] {
			t.Errorf("after %v: got %d, want %d", age, got, want)
		}
	}
}

func TestSendThatJoinsAVerificationKeepsItsComparisonsAndAnotherEndsIt(t *testing.T) {
	root, ids := phones(t, 1)
	pendingOf(t, root, ids[0], "VE1", noon)
	checked(t, root, noon)
	pendingOf(t, root, ids[0], "VE1", noon.Add(time.Minute))
	view := func() []state.Pending {
		st, err := root.Keyring().States.View("user0")
		testroot.Must(t, err)
		return st.Pendings
	}
	if p := view(); len(p) != 1 || p[0].Checks != 1 || p[0].Over ||
		!p[0].At.Equal(noon.Add(time.Minute)) {
		t.Errorf("joined: got %+v, want one with one comparison", p)
	}
	pendingOf(t, root, ids[0], "VE2", noon.Add(time.Minute))
	if p := view(); len(p) != 2 || !p[0].Over || p[1].Over || p[1].Checks != 0 ||
		p[1].SID != "VE2" {
		t.Errorf("another: got %+v, want the first over", p)
	}
}

// Of two services of a fleet, one may be frozen after it has had a code sent.
func TestSendThatIsNotedLateDoesNotEndALaterOne(t *testing.T) {
	root, ids := phones(t, 1)
	pendingOf(t, root, ids[0], "VE2", noon.Add(11*time.Minute))
	for _, late := range []string{"VE1", "VE2"} {
		pendingOf(t, root, ids[0], late, noon)
		st, err := root.Keyring().States.View("user0")
		testroot.Must(t, err)
		if p := st.Pendings; len(p) != 1 || p[0].SID != "VE2" || p[0].Over ||
			!p[0].At.Equal(noon.Add(11*time.Minute)) {
			t.Errorf("%s late: got %+v, want the later one as it was", late, p)
		}
	}
}

func TestCodeThatRootGaveOutIsLiveForThirtyDaysAtMost(t *testing.T) {
	const longest = 30 * 24 * time.Hour
	for lasts, want := range map[time.Duration]bool{
		-1: false, 0: false, 1: true, longest: true, longest + 1: false,
	} {
		if got := factor.Live(state.OneTimeCode{Until: noon.Add(lasts)}, noon); got != want {
			t.Errorf("%v before its end: got %v, want %v", lasts, got, want)
		}
	}
}

func TestComparisonIsNotGivenBackTwice(t *testing.T) {
	root, ids := phones(t, 1)
	pendingOf(t, root, ids[0], "VE1", noon)
	m := checked(t, root, noon)
	for range 2 {
		_, err := root.Keyring().EndCheck(record.User{Name: "user0", UID: uid}, m, 0,
			factor.Unreached, often, noon)
		testroot.Must(t, err)
	}
	if n, _ := checks(t, root); n != 0 {
		t.Errorf("got %d comparisons, want 0", n)
	}
}
