package enrollment_test

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// devices returns the labels of the devices in alice's record; nil if she has none. Any
// inconsistency with her state is an error.
func devices(t *testing.T, root testroot.Root) []string {
	t.Helper()
	account, err := root.Keyring().Open(alice)
	if errors.Is(err, factor.ErrUnenrolled) {
		return nil
	}
	testroot.Must(t, err)
	defer account.Close()
	var labels []string
	for _, d := range account.Record.Devices {
		labels = append(labels, d.Label)
		if account.State.Device(d.ID) == nil {
			t.Errorf("the state does not know the %s", d.Label)
		}
	}
	return labels
}

func TestTheFirstDeviceEnrollsAndTheSecondIsAdded(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	phone := testroot.TOTP("phone")
	step := oath.Step(&phone, noon)
	testroot.Must(t, k.Add(enrollment.ByRoot(), alice, phone, step))
	// it was used to confirm the enrollment
	expect(t, root, testroot.Code(t, phone, noon), noon, factor.Replayed)
	expect(t, root, testroot.Code(t, phone, noon.Add(30*time.Second)), noon, factor.Accepted)
	testroot.Must(t, k.Add(enrollment.ByRoot(), alice, testroot.TOTP("tablet"), 0))
	if got := devices(t, root); !slices.Equal(got, []string{"phone", "tablet"}) {
		t.Errorf("devices are %q", got)
	}
	// still used up
	expect(t, root, testroot.Code(t, phone, noon.Add(30*time.Second)), noon, factor.Replayed)
	expect(t, root, testroot.Code(t, testroot.TOTP("tablet"), noon), noon, factor.Accepted)
}

func TestSameSecretIsNotAddedTwice(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	phone := testroot.TOTP("phone")
	testroot.Must(t, k.Add(enrollment.ByRoot(), alice, phone, 0))
	again := testroot.TOTP("tablet")
	again.Secret = phone.Secret
	err := k.Add(enrollment.ByRoot(), alice, again, 0)
	if err == nil || !strings.Contains(err.Error(), `"phone" has this secret`) {
		t.Errorf("%v", err)
	}
	if got := devices(t, root); !slices.Equal(got, []string{"phone"}) {
		t.Errorf("devices are %q", got)
	}
}

func TestTwoEnrollmentsDiffer(t *testing.T) {
	var ids []state.EnrollmentID
	for range 2 {
		root := testroot.New(t)
		testroot.Must(t, root.Store().Add(enrollment.ByRoot(), alice, testroot.TOTP("phone"), 0))
		rec, err := root.Keyring().Records.Load(alice)
		testroot.Must(t, err)
		ids = append(ids, rec.Enrollment)
	}
	if ids[0] == ids[1] || ids[0] == (state.EnrollmentID{}) {
		t.Errorf("%x and %x", ids[0], ids[1])
	}
}

func TestADeviceIsNotRemovedByItsOwnCode(t *testing.T) {
	root := testroot.New(t)
	phone, tablet := testroot.TOTP("phone"), testroot.TOTP("tablet")
	k, r := root.Store(), root.Enroll(t, "alice", uid, phone, tablet)
	m := factor.Match{Result: factor.Accepted, Method: method.TOTP, Device: &tablet}
	proof := enrollment.ByCode(noon, at(noon), r, m)
	if err := k.Remove(proof, alice, "tablet"); !errors.Is(err, enrollment.ErrItself) {
		t.Errorf("by its own: %v", err)
	}
	if err := k.Remove(proof, alice, "phone"); err != nil {
		t.Errorf("by another: %v", err)
	}
}

func TestRefusedAddOrRemoveChangesNothing(t *testing.T) {
	cases := []struct {
		name string
		do   func(k enrollment.Store) error
		want error
	}{
		{"a label that is taken", func(k enrollment.Store) error {
			return k.Add(enrollment.ByRoot(), alice, testroot.TOTP("phone"), 0)
		}, nil},
		{"a device that is not valid", func(k enrollment.Store) error {
			return k.Add(enrollment.ByRoot(), record.User{Name: "bob", UID: uid + 1},
				record.Device{}, 0)
		}, nil},
		{"another uid", func(k enrollment.Store) error {
			return k.Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid + 1},
				testroot.TOTP("tablet"), 0)
		}, factor.ErrRecord},
		{"the only device", func(k enrollment.Store) error {
			return k.Remove(enrollment.ByRoot(), alice, "phone")
		}, enrollment.ErrLastDevice},
		{"a device that is not there", func(k enrollment.Store) error {
			return k.Remove(enrollment.ByRoot(), alice, "watch")
		}, fs.ErrNotExist},
		{"a device of a user who is not enrolled", func(k enrollment.Store) error {
			return k.Remove(enrollment.ByRoot(), record.User{Name: "bob", UID: uid + 1}, "phone")
		}, factor.ErrUnenrolled},
		{"everything of a user who is not enrolled",
			func(k enrollment.Store) error { return k.Reset(enrollment.ByRoot(), "bob") },
			fs.ErrNotExist},
		{"everything of an invalid name",
			func(k enrollment.Store) error {
				return k.Reset(enrollment.ByRoot(), "../users/alice")
			}, record.ErrName},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			root := testroot.New(t)
			root.Enroll(t, "alice", uid, testroot.TOTP("phone"))
			testroot.Unchanged(t, root.Record("alice"))
			testroot.Unchanged(t, root.State("alice"))
			if err := c.do(root.Store()); err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("error is %v", err)
			}
			bob := record.User{Name: "bob", UID: uid + 1}
			if _, err := root.Keyring().Records.Load(bob); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("bob has a record: %v", err)
			}
		})
	}
}

func TestDeviceIsRemovedEvenIfTheStateCannotBeSaved(t *testing.T) {
	root := testroot.New(t)
	root.Enroll(t, "alice", uid, testroot.TOTP("phone"), testroot.TOTP("tablet"))
	if out, failed := testroot.FailCall(t, "fdatasync", "EIO", "remove", string(root)); failed {
		t.Errorf("it is removed, and the error says that it is not: %s", out)
	}
	if got := devices(t, root); !slices.Equal(got, []string{"phone"}) {
		t.Errorf("devices are %q", got)
	}
}

func TestAfterAResetOldCodesAreRefused(t *testing.T) {
	root := testroot.New(t)
	phone := testroot.TOTP("phone")
	root.Enroll(t, "alice", uid, phone)
	old := testroot.Read(t, root.Record("alice"))
	testroot.Must(t, root.Store().Reset(enrollment.ByRoot(), "alice"))
	if got := devices(t, root); got != nil {
		t.Errorf("devices are %q", got)
	}
	testroot.Must(t, root.Store().Add(enrollment.ByRoot(), alice, testroot.TOTP("tablet"), 0))
	expect(t, root, testroot.Code(t, phone, noon), noon, factor.Wrong)
	testroot.Write(t, root.Record("alice"), old)
	if _, err := root.Keyring().Open(alice); !errors.Is(err, factor.ErrState) {
		t.Errorf("the old record, restored: %v", err)
	}
}

func TestResetRemovesUnreadableFiles(t *testing.T) {
	root := testroot.New(t)
	root.Enroll(t, "alice", uid, testroot.TOTP("phone"))
	testroot.Write(t, root.Record("alice"), []byte("?"))
	testroot.Write(t, root.State("alice"), []byte("?"))
	testroot.Must(t, root.Store().Reset(enrollment.ByRoot(), "alice"))
	for _, path := range []string{root.Record("alice"), root.State("alice")} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestUnlockEndsALockAndForgetsTheFailures(t *testing.T) {
	root, phone, wrong := enrolled(t)
	k := root.Store()
	if was, err := k.Unlock(enrollment.ByRoot(), alice, three, noon); was || err != nil {
		t.Errorf("not locked: %v, %v", was, err)
	}
	expect(t, root, wrong, noon, factor.Wrong)
	if was, err := k.Unlock(enrollment.ByRoot(), alice, three, noon); was || err != nil {
		t.Errorf("not locked after one failure: %v, %v", was, err)
	}
	if n := failures(t, root); n != 0 { // another policy may have counted this as the last one
		t.Errorf("got %d failures, want none", n)
	}
	for range 3 {
		expect(t, root, wrong, noon, factor.Wrong)
	}
	if was, err := k.Unlock(enrollment.ByRoot(), alice, three, noon); !was || err != nil {
		t.Errorf("locked: %v, %v", was, err)
	}
	if n := failures(t, root); n != 0 {
		t.Errorf("%d failures are left", n)
	}
	expect(t, root, testroot.Code(t, phone, noon), noon, factor.Accepted)
}

func TestAChangeKilledAtAnySystemCallLeavesTheOldEnrollmentOrTheNew(t *testing.T) {
	cases := []struct {
		role          string
		before, after string
	}{
		{"add", "phone", "phone tablet"},
		{"add", "", "tablet"},
		{"remove", "phone tablet", "phone"},
		{"reset", "phone tablet", ""},
	}
	for _, c := range cases {
		t.Run(c.role+" with "+c.before, func(t *testing.T) {
			t.Parallel()
			root := testroot.New(t)
			prepare := func() {
				root.Store().Reset(enrollment.ByRoot(), "alice")
				for _, label := range strings.Fields(c.before) {
					testroot.Must(t,
						root.Store().Add(enrollment.ByRoot(), alice, testroot.TOTP(label), 0))
				}
			}
			prepare()
			testroot.KillAtEveryCall(t, c.role, []string{string(root)},
				func(before string, completed bool) {
					got := strings.Join(devices(t, root), " ")
					if got != c.after && (completed || got != c.before) {
						t.Errorf("killed before %s: devices are %q", before, got)
					}
					prepare()
				})
		})
	}
}
