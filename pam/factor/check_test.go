package factor_test

import (
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// checks is how often a code was compared with user0's only verification, and whether it is over.
func checks(t *testing.T, root testroot.Root) (int, bool) {
	t.Helper()
	st, err := root.Keyring().States.View("user0")
	testroot.Must(t, err)
	return int(st.Pendings[0].Checks), st.Pendings[0].Over
}

func TestAnswerOfTwilioDecidesWhatIsLeftOfAVerification(t *testing.T) {
	for answer, want := range map[factor.Answer]struct {
		checks, failures int
		over             bool
	}{
		factor.Unknown:   {1, 1, false},
		factor.Gone:      {1, 1, true},
		factor.Exceeded:  {5, 1, false},
		factor.Unreached: {0, 0, false},
	} {
		root, ids := phones(t, 1)
		pendingOf(t, root, ids[0], "VE1", noon)
		m := checked(t, root, noon)
		if free := m.Free(0, answer); free != (answer == factor.Unreached) {
			t.Errorf("answer %d: got free %v", answer, free)
		}
		result, err := root.Keyring().EndCheck(record.User{Name: "user0", UID: uid}, m, 0, answer,
			often, noon)
		if result != factor.Wrong || err != nil {
			t.Errorf("answer %d: got %d, %v; want it wrong", answer, result, err)
		}
		n, over := checks(t, root)
		st, err := root.Keyring().States.View("user0")
		testroot.Must(t, err)
		if n != want.checks || over != want.over || len(st.Failures) != want.failures {
			t.Errorf("answer %d: got %d checks, over %v, %d failures; want %+v", answer, n, over,
				len(st.Failures), want)
		}
	}
}

func TestFifthComparisonIsTheLast(t *testing.T) {
	root, ids := phones(t, 1)
	pendingOf(t, root, ids[0], "VE1", noon)
	for n := 1; n <= 5; n++ {
		m := checked(t, root, noon)
		if got := m.Checks[0].Last(); got != (n == 5) {
			t.Errorf("comparison %d: got last %v", n, got)
		}
		account, err := root.Keyring().Open(record.User{Name: "user0", UID: uid})
		testroot.Must(t, err)
		_, standing := account.LatestSent(noon, func(state.Pending) bool { return true })
		if (standing == factor.Exhausted) != (n == 5) {
			t.Errorf("comparison %d: got standing %d", n, standing)
		}
		account.Close()
	}
}

func TestOnlyTheFirstVerificationCanBeFree(t *testing.T) {
	m := factor.Match{Checks: make([]factor.Check, 2)}
	if m.Free(1, factor.Unreached) || !m.Free(0, factor.Unreached) || m.Free(0, factor.Unknown) {
		t.Error("got a guess free that was compared, or one charged that was not")
	}
}

// An answer can arrive for a minute after a code's life of ten.
func TestVerificationIsKeptAsLongAsAnAnswerAboutItCanArrive(t *testing.T) {
	for age, kept := range map[time.Duration]bool{
		0: true, 11*time.Minute - time.Second: true, 11 * time.Minute: false, time.Hour: false,
	} {
		root, ids := phones(t, 1)
		pendingOf(t, root, ids[0], "VE1", noon)
		pendingOf(t, root, ids[0], "VE2", noon.Add(age))
		st, err := root.Keyring().States.View("user0")
		testroot.Must(t, err)
		if n := len(st.Pendings); (n == 2) != kept || st.Pendings[n-1].SID != "VE2" {
			t.Errorf("after %v: got %+v, want the first kept: %v", age, st.Pendings, kept)
		}
	}
}

func TestVerificationOfAPhoneThatWasRemovedIsNotKept(t *testing.T) {
	root, ids := phones(t, 1)
	pendingOf(t, root, ids[0], "VE1", noon)
	account, err := root.Keyring().Open(record.User{Name: "user0", UID: uid})
	testroot.Must(t, err)
	account.State.Pendings[0].Device = state.DeviceID{9}
	testroot.Must(t, factor.Commit(account.State))
	account.Close()
	pendingOf(t, root, ids[0], "VE2", noon)
	st, err := root.Keyring().States.View("user0")
	testroot.Must(t, err)
	if len(st.Pendings) != 1 || st.Pendings[0].SID != "VE2" {
		t.Errorf("got %+v, want VE2 alone", st.Pendings)
	}
}
