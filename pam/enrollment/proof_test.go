package enrollment_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// changes are all operations that change what a user has. Alice is enrolled with phone and tablet;
// bob is not.
var changes = map[string]func(s enrollment.Store, p enrollment.Proof) error{
	"Add": func(s enrollment.Store, p enrollment.Proof) error {
		return s.Add(p, alice, enrollment.NewPhone("mobile", "+15551234567", noon), 0)
	},
	"Enroll": func(s enrollment.Store, p enrollment.Proof) error {
		return s.Enroll(p, bob, whole())
	},
	"Replace": func(s enrollment.Store, p enrollment.Proof) error {
		return s.Replace(p, alice, whole())
	},
	"Import": func(s enrollment.Store, p enrollment.Proof) error {
		all := func(*factor.Account) (enrollment.Enrollment, error) { return whole(), nil }
		return s.Exclusive(func() error { return s.Import(p, alice, whole(), all) })
	},
	"EnrollMany": func(s enrollment.Store, p enrollment.Proof) error {
		n := &enrollment.Newcomer{User: bob, Has: whole()}
		err := s.ExclusiveMany(func(s enrollment.Store) error {
			s.EnrollMany(p, []*enrollment.Newcomer{n})
			return nil
		})
		return errors.Join(err, n.Err)
	},
	"Remove": func(s enrollment.Store, p enrollment.Proof) error {
		return s.Remove(p, alice, "tablet")
	},
	"Exchange": func(s enrollment.Store, p enrollment.Proof) error {
		return s.Exchange(p, alice, byNew("new"))
	},
	"Rename": func(s enrollment.Store, p enrollment.Proof) error {
		return s.Rename(p, alice, "tablet", "watch")
	},
	"SetRecovery": func(s enrollment.Store, p enrollment.Proof) error {
		return s.SetRecovery(p, alice, codes())
	},
	"Reset": func(s enrollment.Store, p enrollment.Proof) error { return s.Reset(p, alice.Name) },
	"Restore": func(s enrollment.Store, p enrollment.Proof) error {
		of, err := s.Records.Load(alice)
		if err != nil {
			return err
		}
		st, err := s.States.View(alice.Name)
		if err != nil {
			return err
		}
		return s.Exclusive(func() error {
			return s.Restore(p, alice, enrollment.Saved{Record: of, State: st, Replace: true}, noon)
		})
	},
	"Rekey": func(s enrollment.Store, p enrollment.Proof) error {
		_, err := s.Rekey(p, nil)
		return err
	},
	"Unlock": func(s enrollment.Store, p enrollment.Proof) error {
		_, err := s.Unlock(p, alice, three, noon)
		return err
	},
	"SetBypass": func(s enrollment.Store, p enrollment.Proof) error {
		return s.SetBypass(p, alice, oneTimeCode())
	},
	"SetTicket": func(s enrollment.Store, p enrollment.Proof) error {
		return s.SetTicket(p, bob, oneTimeCode())
	},
	"Distrust": func(s enrollment.Store, p enrollment.Proof) error {
		_, err := s.Distrust(p, alice, func(state.Trust) bool { return true })
		return err
	},
	"Advance": func(s enrollment.Store, p enrollment.Proof) error {
		account, err := s.Open(alice)
		if err != nil {
			return err
		}
		defer account.Close()
		_, err = enrollment.Advance(p, account, account.Record.Devices[0].ID, 99)
		return err
	},
}

// forRoot are the operations that no user may do with any proof.
var forRoot = []string{
	"Advance", "EnrollMany", "Import", "Replace", "Reset", "SetBypass", "SetTicket", "Unlock",
}

// unproven are the operations by which a user proves something. They charge guesses and give no
// right.
var unproven = []string{
	"ReserveClaim", "CheckClaim", "EndClaim", "Exclusive", "ExclusiveMany", "VerifyTicket",
}

var bob = record.User{Name: "bob", UID: uid + 1}

func whole() enrollment.Enrollment {
	device := enrollment.NewPhone("new", "+15557654321", noon)
	return enrollment.Enrollment{Devices: []record.Device{device}, Counters: []uint64{0}}
}

func codes() record.Recovery { return enrollment.ImportedRecovery([]string{"12345678"}) }

func oneTimeCode() state.OneTimeCode {
	return state.OneTimeCode{Until: noon.Add(time.Hour), Salt: [16]byte{1}}
}

// host returns a host on which alice is enrolled and locked, and trusts a computer. Bob has
// nothing.
func host(t *testing.T) (root testroot.Root, of *record.Record) {
	t.Helper()
	root = testroot.New(t)
	for _, label := range []string{"phone", "tablet"} {
		testroot.Must(t, root.Store().Add(enrollment.ByRoot(), alice, testroot.TOTP(label), 7))
	}
	for range 3 {
		expect(t, root, "000000", noon, factor.Wrong)
	}
	account, err := root.Keyring().Open(alice)
	testroot.Must(t, err)
	defer account.Close()
	account.State.Trusts = []state.Trust{{Since: noon, Days: 30, Tag: [8]byte{1}}}
	testroot.Must(t, factor.Commit(account.State))
	return root, account.Record
}

// files returns all files below root and their content.
func files(t *testing.T, root testroot.Root) map[string]string {
	t.Helper()
	all := map[string]string{}
	testroot.Must(t,
		filepath.WalkDir(string(root), func(path string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				all[path] = string(testroot.Read(t, path))
			}
			return err
		}))
	return all
}

// refused checks that a change is refused with the error want and that not a byte of any file
// changes.
func refused(t *testing.T, root testroot.Root, name string, p enrollment.Proof, want error) {
	t.Helper()
	before := files(t, root)
	if err := changes[name](root.Store(), p); !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", name, err, want)
	}
	after := files(t, root)
	if !maps.Equal(before, after) {
		t.Errorf("%s: got other files: %q, want %q", name,
			slices.Sorted(maps.Keys(after)), slices.Sorted(maps.Keys(before)))
	}
}

func TestZeroProofRefusesEveryChange(t *testing.T) {
	for name := range changes {
		root, _ := host(t)
		refused(t, root, name, enrollment.Proof{}, enrollment.ErrRight)
	}
}

func TestProofOfRootAllowsEveryChange(t *testing.T) {
	for name, change := range changes {
		root, _ := host(t)
		before := files(t, root)
		if err := change(root.Store(), enrollment.ByRoot()); err != nil {
			t.Errorf("%s: got error %v, want none", name, err)
		}
		if maps.Equal(before, files(t, root)) {
			t.Errorf("%s: got no change", name)
		}
	}
}

func TestProofOfAUserGivesNoRightToOperationsOfRoot(t *testing.T) {
	for _, name := range forRoot {
		root, of := host(t)
		for _, p := range []enrollment.Proof{
			byTablet(of), enrollment.ByPassword(bob, noon, at(noon)),
			enrollment.ByPassword(alice, noon, at(noon)),
			enrollment.ByTicket(bob, noon, at(noon), oneTimeCode()),
		} {
			refused(t, root, name, p, enrollment.ErrRight)
		}
	}
}

// byTablet returns the right that a code of alice's tablet gives at noon.
func byTablet(of *record.Record) enrollment.Proof {
	m := factor.Match{Result: factor.Accepted, Method: method.TOTP, Device: of.Find("tablet")}
	return enrollment.ByCode(noon, at(noon), of, m)
}

func TestCodeThatWasNotAcceptedGivesNoRight(t *testing.T) {
	for _, result := range []factor.Result{
		factor.Wrong, factor.Impossible, factor.Replayed, factor.Locked, factor.AskTwilio,
	} {
		root, of := host(t)
		m := factor.Match{Result: result, Device: of.Find("tablet")}
		refused(t, root, "Add", enrollment.ByCode(noon, at(noon), of, m), enrollment.ErrRight)
	}
	root, _ := host(t)
	accepted := factor.Match{Result: factor.Accepted}
	none := enrollment.ByCode(noon, at(noon), nil, accepted)
	refused(t, root, "Add", none, enrollment.ErrRight)
}

func TestProofLastsFifteenMinutesAndForOneUser(t *testing.T) {
	after := func(d time.Duration) func() time.Time { return at(noon.Add(d)) }
	long, tooLong := 15*time.Minute, 15*time.Minute+time.Second
	code := func(of *record.Record, d time.Duration) enrollment.Proof {
		m := factor.Match{Result: factor.Accepted, Device: of.Find("phone")}
		return enrollment.ByCode(noon, after(d), of, m)
	}
	for name, c := range map[string]struct {
		change string
		proof  func(of *record.Record) enrollment.Proof
		want   error
	}{
		"a code": {"Add",
			func(r *record.Record) enrollment.Proof { return code(r, long) }, nil},
		"a code, too long ago": {"Add",
			func(r *record.Record) enrollment.Proof { return code(r, tooLong) },
			enrollment.ErrProof},
		"a code, before its time": {"Add", func(r *record.Record) enrollment.Proof {
			return code(r, -time.Second)
		}, enrollment.ErrProof},
		"a code of another user": {"Enroll",
			func(r *record.Record) enrollment.Proof { return code(r, 0) }, enrollment.ErrRight},
		"the password": {"Enroll", func(*record.Record) enrollment.Proof {
			return enrollment.ByPassword(bob, noon, after(long))
		}, nil},
		"the password, too long ago": {"Enroll", func(*record.Record) enrollment.Proof {
			return enrollment.ByPassword(bob, noon, after(tooLong))
		}, enrollment.ErrProof},
		"the password of another user": {"Enroll", func(*record.Record) enrollment.Proof {
			return enrollment.ByPassword(alice, noon, after(0))
		}, enrollment.ErrRight},
		"the password of a user who is enrolled": {"Add", func(*record.Record) enrollment.Proof {
			return enrollment.ByPassword(alice, noon, after(0))
		}, enrollment.ErrEnrolled},
		"a ticket that was never given out": {"Enroll", func(*record.Record) enrollment.Proof {
			return enrollment.ByTicket(bob, noon, after(0), oneTimeCode())
		}, enrollment.ErrTicket},
		"a ticket of zeros": {"Enroll", func(*record.Record) enrollment.Proof {
			return enrollment.ByTicket(bob, noon, after(0), state.OneTimeCode{})
		}, enrollment.ErrTicket},
	} {
		t.Run(name, func(t *testing.T) {
			root, of := host(t)
			if c.want != nil {
				refused(t, root, c.change, c.proof(of), c.want)
			} else if err := changes[c.change](root.Store(), c.proof(of)); err != nil {
				t.Errorf("got error %v, want none", err)
			}
		})
	}
}

// A new operation takes a proof and is in the tables above.
func TestEveryOperationOfAStoreTakesAProofOrIsKnownToNeedNone(t *testing.T) {
	store, proof := reflect.TypeFor[enrollment.Store](), reflect.TypeFor[enrollment.Proof]()
	keyring := reflect.TypeFor[factor.Keyring]()
	for i := range store.NumMethod() {
		m := store.Method(i)
		if _, promoted := keyring.MethodByName(m.Name); promoted {
			continue
		}
		takes := m.Type.NumIn() > 1 && m.Type.In(1) == proof
		if takes == slices.Contains(unproven, m.Name) {
			t.Errorf("%s: got that it takes a proof: %v", m.Name, takes)
		}
		if takes && changes[m.Name] == nil {
			t.Errorf("%s is tested with no proof that is zero", m.Name)
		}
	}
}

func TestChangeWithoutAProofDoesNotCompile(t *testing.T) {
	for argument, want := range map[string]string{
		"enrollment.Proof{}, ": "",
		"":                     "not enough arguments in call to s.Reset",
		"nil, ":                "cannot use nil as enrollment.Proof value",
	} {
		got := compiled(t, `package forgotten

import "latchkey/pam/enrollment"

func forgotten(s enrollment.Store) error { return s.Reset(`+argument+`"alice") }
`)
		if got == "" != (want == "") || !strings.Contains(got, want) {
			t.Errorf("with %q: got %q, want %q", argument, got, want)
		}
	}
}

// compiled returns what the compiler says of a package; "" if it compiles.
func compiled(t *testing.T, source string) string {
	t.Helper()
	dir := t.TempDir()
	testroot.Write(t, dir+"/forgotten.go", []byte(source))
	here, err := os.Getwd()
	testroot.Must(t, err)
	overlay, err := json.Marshal(map[string]map[string]string{
		"Replace": {here + "/forgotten/forgotten.go": dir + "/forgotten.go"},
	})
	testroot.Must(t, err)
	testroot.Write(t, dir+"/overlay.json", overlay)
	cmd := exec.Command("go", "build", "-overlay", dir+"/overlay.json", "./forgotten")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	return string(out)
}
