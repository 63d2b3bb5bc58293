package factor_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// openError is what Open says of a user; the account must not open.
func openError(t *testing.T, root testroot.Root, name string, uid uint32) error {
	t.Helper()
	account, err := root.Keyring().Open(record.User{Name: name, UID: uid})
	if err == nil {
		account.Close()
		t.Errorf("%s was opened", name)
	}
	_, _, viewed := root.Keyring().View(record.User{Name: name, UID: uid})
	for _, kind := range []error{factor.ErrUnenrolled, factor.ErrRecord, factor.ErrState} {
		if errors.Is(err, kind) != errors.Is(viewed, kind) {
			t.Errorf("Open says %v, View says %v", err, viewed)
		}
	}
	return err
}

// denied demands that Open refuses a user because of the record, and names what to type.
func denied(t *testing.T, root testroot.Root, name string, uid uint32, says string) {
	t.Helper()
	err := openError(t, root, name, uid)
	if !errors.Is(err, factor.ErrRecord) || errors.Is(err, factor.ErrUnenrolled) ||
		!strings.Contains(err.Error(), says) {
		t.Errorf("%s: error is %v, want a record's that says %q", name, err, says)
	}
}

func neverEnrolled(t *testing.T, root testroot.Root, name string, uid uint32) {
	t.Helper()
	if err := openError(t, root, name, uid); !errors.Is(err, factor.ErrUnenrolled) {
		t.Errorf("%s: error is %v, want %v", name, err, factor.ErrUnenrolled)
	}
}

// FAULTS 37.
func TestLostRecordIsDeniedUntilItIsPutBackOrReset(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	testroot.Must(t, k.Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		testroot.TOTP("phone"), 0))
	saved := testroot.Read(t, root.Record("alice"))
	testroot.Must(t, os.Remove(root.Record("alice")))
	denied(t, root, "alice", uid, "enroll reset alice")
	// the name was given to someone else since
	denied(t, root, "alice", uid+1, "enroll reset alice")
	if err := k.Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		testroot.TOTP("phone"), 0); !errors.Is(err, factor.ErrRecord) {
		t.Errorf("enrolling again: %v", err)
	}
	if err := k.SetTicket(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		state.OneTimeCode{}); !errors.Is(err, factor.ErrRecord) {
		t.Errorf("inviting: %v", err)
	}
	claim := enrollment.Claim{User: record.User{Name: "alice", UID: uid}, Number: "+15551230000"}
	if _, err := k.ReserveClaim(claim, sends, three, noon); !errors.Is(err, factor.ErrRecord) {
		t.Errorf("a code to prove a number: %v", err)
	}
	testroot.Write(t, root.Record("alice"), saved)
	account, err := k.Open(record.User{Name: "alice", UID: uid})
	if err != nil {
		t.Fatal(err)
	}
	account.Close()
	testroot.Must(t, os.Remove(root.Record("alice")))
	testroot.Must(t, k.Reset(enrollment.ByRoot(), "alice"))
	neverEnrolled(t, root, "alice", uid)
}

// FAULTS 37.
func TestAllRecordsLostDeniesEachUserWhoHadOne(t *testing.T) {
	root := testroot.New(t)
	for i, name := range []string{"alice", "bob", "carol"} {
		testroot.Must(t, root.Store().Add(enrollment.ByRoot(),
			record.User{Name: name, UID: uid + uint32(i)}, testroot.TOTP(name), 0))
	}
	users := root.Join("etc/latchkey/users")
	testroot.Must(t, os.RemoveAll(users))
	for i, name := range []string{"alice", "bob", "carol", "dave"} {
		denied(t, root, name, uid+uint32(i), "users")
	}
	testroot.Must(t, os.Mkdir(users, 0o700))
	for i, name := range []string{"alice", "bob", "carol"} {
		denied(t, root, name, uid+uint32(i), "enroll reset "+name)
		denied(t, root, "new"+name, uid+uint32(i), "enroll reset "+name) // renamed as well
	}
	neverEnrolled(t, root, "dave", uid+3)
}

// FAULTS 5, 37.
func TestUnreadableStateWithoutRecordIsNotAUserWhoNeverEnrolled(t *testing.T) {
	for name, spoil := range map[string]func(root testroot.Root, path string) error{
		"damaged": func(_ testroot.Root,
			path string) error {
			return os.WriteFile(path, nil, 0o600)
		},
		"readable by others": func(_ testroot.Root,
			path string) error {
			return os.Chmod(path, 0o644)
		},
		"a symbolic link": func(_ testroot.Root,
			path string) error {
			os.Remove(path)
			return os.Symlink("bob", path)
		},
		"a directory": func(_ testroot.Root,
			path string) error {
			os.Remove(path)
			return os.Mkdir(path, 0o700)
		},
		"without a directory": func(root testroot.Root,
			_ string) error {
			return os.RemoveAll(root.Join("var/lib/latchkey/users"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := testroot.New(t)
			testroot.Must(t, root.Store().Add(enrollment.ByRoot(),
				record.User{Name: "alice", UID: uid}, testroot.TOTP("phone"), 0))
			testroot.Must(t, os.Remove(root.Record("alice")))
			testroot.Must(t, spoil(root, root.State("alice")))
			if err := openError(t, root, "alice", uid); !errors.Is(err, factor.ErrState) ||
				errors.Is(err, factor.ErrUnenrolled) {
				t.Errorf("error is %v, want the state's", err)
			}
		})
	}
}

func TestFirstEnrollmentInterruptedAnywhereIsNoneOrWhole(t *testing.T) {
	phone := testroot.TOTP("phone")
	half := state.State{UID: uid, Devices: []state.Device{{ID: phone.ID, Counter: 7}}}
	root := testroot.New(t)
	k := root.Store()
	testroot.Must(t, k.States.Create("alice", half))
	neverEnrolled(t, root, "alice", uid)
	testroot.Must(t, k.Records.Save(&record.Record{Name: "alice", UID: uid,
		Enrollment: state.EnrollmentID{1}, Devices: []record.Device{phone}}))
	account, err := k.Open(record.User{Name: "alice", UID: uid})
	if err != nil {
		t.Fatalf("with its record: %v", err)
	}
	if got := account.State.Device(phone.ID).Counter; got != 7 {
		t.Errorf("counter is %d, want 7", got)
	}
	testroot.Must(t, account.State.Commit()) // as any login does
	account.Close()
	testroot.Must(t, os.Remove(root.Record("alice")))
	denied(t, root, "alice", uid, "enroll reset alice")
}

// A state that belongs to nothing is not taken for that of an enrollment which was interrupted.
func TestStateOfATicketDoesNotServeARecord(t *testing.T) {
	root := testroot.New(t)
	root.Enroll(t, "alice", uid, testroot.TOTP("phone"))
	for name, st := range map[string]state.State{
		"no device":        {UID: uid},
		"another's device": {UID: uid, Devices: []state.Device{{ID: state.DeviceID{9}}}},
		"another's uid": {UID: uid + 1,
			Devices: []state.Device{{ID: testroot.TOTP("phone").ID}}},
	} {
		testroot.Must(t, root.Keyring().States.Create("alice", st))
		if err := openError(t, root, "alice", uid); !errors.Is(err, factor.ErrState) {
			t.Errorf("%s: error is %v, want the state's", name, err)
		}
	}
}

// howIndexed are the ways in which a host's records came to be there.
var howIndexed = map[string]func(t *testing.T, root testroot.Root){
	"by enroll": func(*testing.T, testroot.Root) {},
	"before there was an index": func(t *testing.T, root testroot.Root) {
		testroot.Must(t, os.RemoveAll(root.Join("var/lib/latchkey/uids")))
	},
	"with an index that was restored empty": func(t *testing.T, root testroot.Root) {
		testroot.Must(t, os.Remove(root.Join(fmt.Sprintf("var/lib/latchkey/uids/%d", uid))))
		testroot.Write(t, root.Join("etc/latchkey/users/.restored"), nil)
	},
	"with a damaged index": func(t *testing.T, root testroot.Root) {
		testroot.Write(t, root.Join("var/lib/latchkey/uids/current"), []byte("latchkey-uids-1\n"))
		testroot.Must(t, os.Remove(root.Join(fmt.Sprintf("var/lib/latchkey/uids/%d", uid))))
	},
	"and the states were lost": func(t *testing.T, root testroot.Root) {
		testroot.Must(t, os.Remove(root.State("alice")))
	},
	"and the records were lost": func(t *testing.T, root testroot.Root) {
		testroot.Must(t, os.Remove(root.Record("alice")))
	},
	"and another change followed": func(t *testing.T, root testroot.Root) {
		testroot.Must(t, os.RemoveAll(root.Join("var/lib/latchkey/uids")))
		testroot.Must(t, root.Store().Add(enrollment.ByRoot(),
			record.User{Name: "bob", UID: uid + 1}, testroot.TOTP("bob"), 0))
	},
}

// FAULTS 17, 37.
func TestSecondNameOfAnEnrolledUidIsDeniedUntilTheFirstIsReset(t *testing.T) {
	for name, prepare := range howIndexed {
		t.Run(name, func(t *testing.T) {
			root := testroot.New(t)
			k := root.Store()
			testroot.Must(t, k.Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
				testroot.TOTP("phone"), 0))
			prepare(t, root)
			denied(t, root, "alicia", uid, "enroll reset alice")
			if err := k.Add(enrollment.ByRoot(), record.User{Name: "alicia", UID: uid},
				testroot.TOTP("tablet"), 0); !errors.Is(err, factor.ErrRecord) {
				t.Errorf("enrolling: %v", err)
			}
			denied(t, root, "alicia", uid, "enroll reset alice") // also after that attempt
			neverEnrolled(t, root, "dave", uid+7)
			testroot.Must(t, k.Reset(enrollment.ByRoot(), "alice"))
			neverEnrolled(t, root, "alicia", uid)
			testroot.Must(t, k.Add(enrollment.ByRoot(), record.User{Name: "alicia", UID: uid},
				testroot.TOTP("tablet"), 0))
			denied(t, root, "alice", uid, "enroll reset alicia")
		})
	}
}

// Two names that were enrolled before one uid could have only one go on working; a third is denied
// while one of them is there.
func TestNamesEnrolledWithOneUidFromBeforeStayAndDenyAThird(t *testing.T) {
	root := testroot.New(t)
	root.Enroll(t, "alice", uid, testroot.TOTP("phone"))
	root.Enroll(t, "alicia", uid, testroot.TOTP("tablet"))
	k := root.Store()
	// makes the index
	testroot.Must(t, k.Add(enrollment.ByRoot(), record.User{Name: "alicia", UID: uid},
		testroot.TOTP("second"), 0))
	for _, name := range []string{"alice", "alicia"} {
		account, err := k.Open(record.User{Name: name, UID: uid})
		if err != nil {
			t.Fatal(err)
		}
		account.Close()
		denied(t, root, "third", uid, "enroll reset alic")
		testroot.Must(t, k.Reset(enrollment.ByRoot(), name))
	}
	neverEnrolled(t, root, "third", uid)
}

func TestOldEntryOfTheIndexDeniesNoOne(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	testroot.Must(t, k.Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		testroot.TOTP("phone"), 0))
	testroot.Must(t, k.Reset(enrollment.ByRoot(), "alice"))
	// she has another uid now
	testroot.Must(t, k.Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid + 1},
		testroot.TOTP("phone"), 0))
	neverEnrolled(t, root, "bob", uid)
	denied(t, root, "bob", uid+1, "enroll reset alice")
}

// FAULTS 37: the index of uids is damaged, too.
func TestSecondNameIsDeniedWhenTheIndexIsDamaged(t *testing.T) {
	for name, spoil := range map[string]func(entry string) error{
		"missing": os.Remove,
		"empty":   func(entry string) error { return os.Truncate(entry, 0) },
		"blank":   func(entry string) error { return os.WriteFile(entry, []byte("\n"), 0o600) },
		"a symbolic link": func(entry string) error {
			return errors.Join(os.Remove(entry), os.Symlink("current", entry))
		},
		"a directory": func(entry string) error {
			return errors.Join(os.Remove(entry), os.Mkdir(entry, 0o700))
		},
		"another uid's": func(entry string) error { return os.Rename(entry, entry+"0") },
	} {
		t.Run(name, func(t *testing.T) {
			root := testroot.New(t)
			testroot.Must(t, root.Store().Add(enrollment.ByRoot(),
				record.User{Name: "alice", UID: uid}, testroot.TOTP("phone"), 0))
			index := root.Join("var/lib/latchkey/uids")
			testroot.Must(t, spoil(fmt.Sprintf("%s/%d", index, uid)))
			denied(t, root, "alicia", uid, fmt.Sprint("uid ", uid))
		})
	}
}

func TestNextChangePutsBackWhatTheIndexLost(t *testing.T) {
	root := testroot.New(t)
	testroot.Must(t, root.Store().Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		testroot.TOTP("phone"), 0))
	entry := root.Join(fmt.Sprint("var/lib/latchkey/uids/", uid))
	testroot.Must(t, os.Remove(entry))
	testroot.Must(t, root.Store().Add(enrollment.ByRoot(), record.User{Name: "bob", UID: uid + 1},
		testroot.TOTP("phone"), 0))
	if got := string(testroot.Read(t, entry)); got != "alice\n" {
		t.Errorf("the index has %q for alice's uid", got)
	}
	denied(t, root, "alicia", uid, "enroll reset alice")
}

// FAULTS 20: the power failed while many were enrolled, and left an entry empty for someone who was
// not enrolled in the end.
func TestEntryThatAPowerFailureLeftEmptyDeniesNoOneAfterTheNextChange(t *testing.T) {
	root := testroot.New(t)
	testroot.Must(t, root.Store().Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		testroot.TOTP("phone"), 0))
	entry := root.Join(fmt.Sprint("var/lib/latchkey/uids/", uid+1))
	testroot.Must(t, os.WriteFile(entry, nil, 0o600))
	neverEnrolled(t, root, "bob", uid+1)
	testroot.Must(t, root.Store().Add(enrollment.ByRoot(), record.User{Name: "carol", UID: uid + 2},
		testroot.TOTP("phone"), 0))
	neverEnrolled(t, root, "bob", uid+1)
	testroot.Must(t, root.Store().Add(enrollment.ByRoot(), record.User{Name: "bob", UID: uid + 1},
		testroot.TOTP("phone"), 0))
	denied(t, root, "alicia", uid, "enroll reset alice")
	denied(t, root, "bobby", uid+1, "enroll reset bob")
}

// withoutSpace runs change while this process can write nothing into any file.
func withoutSpace(t *testing.T, change func() error) error {
	t.Helper()
	var before unix.Rlimit
	testroot.Must(t, unix.Getrlimit(unix.RLIMIT_FSIZE, &before))
	testroot.Must(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Max: before.Max}))
	err := change()
	testroot.Must(t, unix.Setrlimit(unix.RLIMIT_FSIZE, &before))
	return err
}

// FAULTS 19: on a full disk, a failed change leaves an index that is not complete.
func TestResetGoesOnWhereTheIndexCannotBeMarked(t *testing.T) {
	root := testroot.New(t)
	testroot.Must(t, root.Store().Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		testroot.TOTP("phone"), 0))
	testroot.Must(t, os.Remove(root.Join("var/lib/latchkey/uids/current")))
	testroot.Must(t, withoutSpace(t, func() error {
		return root.Store().Reset(enrollment.ByRoot(), "alice")
	}))
	neverEnrolled(t, root, "alice", uid)
	neverEnrolled(t, root, "alicia", uid)
}

// The index answers without a look at all records: with one that cannot be read at all, it still
// does.
func TestIndexThatIsCurrentIsAllThatIsRead(t *testing.T) {
	root := testroot.New(t)
	k := root.Store()
	testroot.Must(t, k.Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		testroot.TOTP("phone"), 0))
	for i := range 5 {
		testroot.Must(t, k.Add(enrollment.ByRoot(),
			record.User{Name: fmt.Sprint("user", i),
				UID: uid + 10 + uint32(i)}, testroot.TOTP(fmt.Sprint(i)), 0))
	}
	before := testroot.Read(t, root.Join("var/lib/latchkey/uids/current"))
	testroot.Must(t, os.Chmod(root.Record("user3"), 0o644)) // changes no directory
	neverEnrolled(t, root, "bob", uid+1)
	denied(t, root, "alicia", uid, "enroll reset alice")
	// whose record cannot be read: it may be that uid's
	denied(t, root, "again", uid+13, "enroll reset user3")
	if after := testroot.Read(t, root.Join(
		"var/lib/latchkey/uids/current")); string(after) != string(before) {
		t.Errorf("looking changed %q to %q", before, after)
	}
}
