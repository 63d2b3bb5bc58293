package factor_test

import (
	"slices"
	"strings"
	"testing"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// withRecovery is alice with an app and these recovery codes.
func withRecovery(t *testing.T, r record.Recovery) testroot.Root {
	t.Helper()
	root := testroot.New(t)
	alice := record.User{Name: "alice", UID: uid}
	root.Enroll(t, "alice", uid, testroot.TOTP("phone"))
	testroot.Must(t, root.Store().SetRecovery(enrollment.ByRoot(), alice, r))
	return root
}

func left(t *testing.T, root testroot.Root) int {
	t.Helper()
	rec, st, err := root.Keyring().View(record.User{Name: "alice", UID: uid})
	testroot.Must(t, err)
	account := open(t, root)
	defer account.Close()
	n := factor.RecoveryLeft(rec, st)
	if got := account.RecoveryLeft(); got != n {
		t.Errorf("got %d left in the account and %d for display", got, n)
	}
	return n
}

func TestEachRecoveryCodeIsAcceptedOnceAndCountedDown(t *testing.T) {
	codes, r, err := enrollment.NewRecovery()
	testroot.Must(t, err)
	root := withRecovery(t, r)
	for i, code := range []string{codes[0], codes[len(codes)-1], codes[1]} {
		typed := strings.ReplaceAll(code, "-", "")
		m := try(t, root, typed, noon)
		if m.Result != factor.Accepted || m.Method != method.Recovery || m.Device != nil {
			t.Errorf("%s: got %+v, want it accepted as a recovery code", code, m)
		}
		if m = try(t, root, typed, noon); m.Result != factor.Replayed ||
			m.Method != method.Recovery {
			t.Errorf("%s again: got %+v, want it replayed", code, m)
		}
		if got := left(t, root); got != len(codes)-i-1 {
			t.Errorf("got %d left, want %d", got, len(codes)-i-1)
		}
	}
	expect(t, root, "0000000000", noon, factor.Wrong)
	if failures(t, root) != 1 {
		t.Errorf("got %d failures, want 1", failures(t, root))
	}
}

func TestImportedRecoveryCodesAreComparedWithCodesOfTheirLength(t *testing.T) {
	root := withRecovery(t, enrollment.ImportedRecovery([]string{"12345678", "87654321"}))
	expect(t, root, "87654321", noon, factor.Accepted)
	expect(t, root, "87654321", noon, factor.Replayed)
	expect(t, root, "1234567", noon, factor.Impossible)
	expect(t, root, "0123456789", noon, factor.Impossible)
	expect(t, root, "11111111", noon, factor.Wrong)
	if got := left(t, root); got != 1 {
		t.Errorf("got %d left, want 1", got)
	}
	expect(t, root, "12345678", noon, factor.Accepted)
	expect(t, root, "22222222", noon, factor.Impossible) // none is left that it could be
}

func TestNoRecoveryCodeIsComparedWhereTheRuleForbidsThemOrTheStateKnowsNone(t *testing.T) {
	root := withRecovery(t, enrollment.ImportedRecovery([]string{"12345678"}))
	account := open(t, root)
	m, err := compare(account, "12345678", noon, three,
		func(m method.Method) bool { return m == method.TOTP })
	testroot.Must(t, err)
	account.Close()
	if m.Result != factor.Impossible {
		t.Errorf("got %+v, want it not compared", m)
	}
	account = open(t, root)
	account.State.Recovery.Set, account.State.Next.Set = [8]byte{}, [8]byte{}
	if account.UsedCodes() != nil || account.RecoveryLeft() != 0 {
		t.Errorf("got %v, %d left; want none", account.UsedCodes(), account.RecoveryLeft())
	}
}

func TestNamesAreThoseOfRecordsAndOfThoseThatWereLost(t *testing.T) {
	root := testroot.New(t)
	for i, user := range []string{"carol", "alice", "bob"} {
		root.Enroll(t, user, uidOf(i), testroot.TOTP("phone"))
	}
	testroot.Must(t, root.Keyring().Records.Remove("bob"))
	testroot.Must(t, root.Store().SetTicket(enrollment.ByRoot(),
		record.User{Name: "dave", UID: uidOf(9)}, state.OneTimeCode{Until: noon}))
	got, err := root.Keyring().Names()
	if want := []string{"alice", "bob", "carol"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	testroot.Write(t, root.State("erin"), []byte("damaged"))
	got, err = root.Keyring().Names()
	if want := []string{"alice", "bob", "carol", "erin"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("with a damaged state: got %q, %v; want %q", got, err, want)
	}
}
