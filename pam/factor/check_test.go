package factor_test

import (
	"testing"

	"latchkey/pam/factor"
	"latchkey/pam/record"
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
	}
}

func TestOnlyTheFirstVerificationCanBeFree(t *testing.T) {
	m := factor.Match{Checks: make([]factor.Check, 2)}
	if m.Free(1, factor.Unreached) || !m.Free(0, factor.Unreached) || m.Free(0, factor.Unknown) {
		t.Error("got a guess free that was compared, or one charged that was not")
	}
}
