package factor_test

import (
	"errors"
	"slices"
	"testing"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// moved is an enrollment as another module had it.
func moved(codes ...string) factor.Enrollment {
	return factor.Enrollment{
		Devices:  []record.Device{testroot.TOTP("google"), testroot.TOTP("token")},
		Counters: []uint64{7, 8}, Recovery: factor.ImportedRecovery(codes),
	}
}

func TestAWholeEnrollmentIsMadeAtOnce(t *testing.T) {
	root := testroot.New(t)
	testroot.Must(t, root.Keyring().Enroll(record.User{Name: "alice", UID: uid}, moved("12345678", "87654321"), false))
	account, err := root.Keyring().Open(record.User{Name: "alice", UID: uid})
	testroot.Must(t, err)
	defer account.Close()
	if account.RecoveryLeft() != 2 || account.State.Devices[0].Counter != 7 || account.State.Devices[1].Counter != 8 {
		t.Errorf("%d codes, %+v", account.RecoveryLeft(), account.State.Devices)
	}
}

func TestWhoHasASecondFactorKeepsItUnlessItIsReplaced(t *testing.T) {
	root := testroot.New(t)
	k := root.Keyring()
	testroot.Must(t, k.Add(record.User{Name: "alice", UID: uid}, testroot.TOTP("phone"), 3))
	if err := k.Enroll(record.User{Name: "alice", UID: uid}, moved("12345678"), false); !errors.Is(err, factor.ErrEnrolled) {
		t.Errorf("%v", err)
	}
	if got := devices(t, root); !slices.Equal(got, []string{"phone"}) {
		t.Errorf("devices are %q", got)
	}
	testroot.Must(t, k.Enroll(record.User{Name: "alice", UID: uid}, moved("12345678"), true))
	if got := devices(t, root); !slices.Equal(got, []string{"google", "token"}) {
		t.Errorf("devices are %q", got)
	}
	account, err := k.Open(record.User{Name: "alice", UID: uid})
	testroot.Must(t, err)
	defer account.Close()
	if len(account.State.Devices) != 2 || account.RecoveryLeft() != 1 {
		t.Errorf("%+v, %d codes", account.State.Devices, account.RecoveryLeft())
	}
}

func TestAnImportedRecoveryCodeIsAcceptedOnceBesideDevicesOfEightDigits(t *testing.T) {
	root := testroot.New(t)
	token := testroot.TOTP("long")
	token.Digits = 8
	e := factor.Enrollment{Devices: []record.Device{token}, Counters: []uint64{0}, Recovery: factor.ImportedRecovery([]string{"12345678"})}
	testroot.Must(t, root.Keyring().Enroll(record.User{Name: "alice", UID: uid}, e, false))
	expect(t, root, "12345678", noon, factor.Accepted)
	expect(t, root, "12345678", noon, factor.Replayed)
	expect(t, root, testroot.Code(t, token, noon), noon, factor.Accepted)
	expect(t, root, "12345679", noon, factor.Wrong)
}
