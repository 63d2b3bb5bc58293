package enrollment_test

import (
	"errors"
	"slices"
	"testing"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// moved is an enrollment as another module had it.
func moved(codes ...string) enrollment.Enrollment {
	return enrollment.Enrollment{
		Devices:  []record.Device{testroot.TOTP("google"), testroot.TOTP("token")},
		Counters: []uint64{7, 8}, Recovery: enrollment.ImportedRecovery(codes),
	}
}

func TestAWholeEnrollmentIsMadeAtOnce(t *testing.T) {
	root := testroot.New(t)
	testroot.Must(t,
		root.Store().Enroll(enrollment.ByRoot(), alice, moved("12345678", "87654321")))
	account, err := root.Keyring().Open(alice)
	testroot.Must(t, err)
	defer account.Close()
	if account.RecoveryLeft() != 2 || account.State.Devices[0].Counter != 7 ||
		account.State.Devices[1].Counter != 8 {
		t.Errorf("%d codes, %+v", account.RecoveryLeft(), account.State.Devices)
	}
}

func TestEnrolledUserKeepsTheSecondFactorUnlessReplaced(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	testroot.Must(t, k.Add(enrollment.ByRoot(), alice, testroot.TOTP("phone"), 3))
	again := moved("12345678")
	err := k.Enroll(enrollment.ByRoot(), alice, again)
	if !errors.Is(err, enrollment.ErrEnrolled) {
		t.Errorf("%v", err)
	}
	if got := devices(t, root); !slices.Equal(got, []string{"phone"}) {
		t.Errorf("devices are %q", got)
	}
	testroot.Must(t, k.Replace(enrollment.ByRoot(), alice, moved("12345678")))
	if got := devices(t, root); !slices.Equal(got, []string{"google", "token"}) {
		t.Errorf("devices are %q", got)
	}
	account, err := k.Open(alice)
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
	e := enrollment.Enrollment{
		Devices:  []record.Device{token},
		Counters: []uint64{0},
		Recovery: enrollment.ImportedRecovery([]string{"12345678"}),
	}
	testroot.Must(t, root.Store().Enroll(enrollment.ByRoot(), alice, e))
	expect(t, root, "12345678", noon, factor.Accepted)
	expect(t, root, "12345678", noon, factor.Replayed)
	expect(t, root, testroot.Code(t, token, noon), noon, factor.Accepted)
	expect(t, root, "12345679", noon, factor.Wrong)
}
