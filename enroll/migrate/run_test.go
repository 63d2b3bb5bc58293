package migrate

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/migrate/source"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/gate/names"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

var alice = record.User{Name: "alice", UID: 1000}

// What login uses up between two imports stays used, whether or not the import replaces anything.
func TestReplacingSetsNoCounterBackAndMakesNoCodeNew(t *testing.T) {
	const text = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\n\" DISALLOW_REUSE 100\n\" TOTP_AUTH\n" +
		"12345678\n87654321\n23456789\n"
	e, err := source.Google(strings.NewReader(text), "f", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		counter uint64 // of the same secret, before
		codes   []string
		used    uint64
		want    uint64 // counter
		left    int    // recovery codes
	}{
		"nothing was used":        {0, []string{"12345678", "87654321", "23456789"}, 0, 100, 3},
		"less than the file says": {99, nil, 0, 100, 3},
		"more than the file says": {101, nil, 0, 101, 3},
		"two codes, and they stood elsewhere": {
			0, []string{"87654321", "99999999", "12345678"}, 0b101, 100, 1,
		},
		"a code that the file no longer has": {
			0, []string{"99999999", "12345678"}, 0b01, 100, 3,
		},
		"all codes": {0, []string{"12345678", "87654321", "23456789"}, 0b111, 100, 0},
	} {
		t.Run(name, func(t *testing.T) {
			k := enrollment.Store{Keyring: testroot.New(t).Keyring()}
			enrolled(t, k, e.Devices[0].Device, c.counter, c.codes, c.used)
			m := migration{Options: Options{Store: k, Proof: enrollment.ByRoot(), Replace: true}}
			again := candidateOf(e)
			m.saveOne(m.Store, again)
			account, err := k.Open(alice)
			if err != nil || again.Result != Replaced {
				t.Fatalf("got %s, %v; want it replaced", again.Line(), err)
			}
			defer account.Close()
			got, left := account.State.Devices, account.RecoveryLeft()
			if len(got) != 1 || got[0].Counter != c.want || left != c.left {
				t.Errorf("got %+v, %d codes left; want counter %d and %d codes",
					got, left, c.want, c.left)
			}
		})
	}
}

// enrolled gives alice an app and a device with that counter, and recovery codes of which some are
// used.
func enrolled(t *testing.T, k enrollment.Store, d record.Device, counter uint64,
	codes []string, used uint64) {
	t.Helper()
	secret := enrollment.NewSecret("SHA1")
	app := enrollment.NewTOTP("app", secret, "SHA1", 6, 30*time.Second, time.Now())
	all := enrollment.Enrollment{
		Devices: []record.Device{app, d}, Counters: []uint64{0, counter}, Used: used,
	}
	if codes != nil {
		all.Recovery = enrollment.ImportedRecovery(codes)
	}
	if err := k.Enroll(enrollment.ByRoot(), alice, all); err != nil {
		t.Fatal(err)
	}
}

// candidateOf is alice with what a file says; each time the file is read its devices get other
// ids.
func candidateOf(e source.Entry) *candidate {
	d := e.Devices[0]
	rand.Read(d.ID[:])
	e.Devices = []source.Device{d}
	return &candidate{who: User{User: alice}, entry: e, Outcome: Outcome{User: alice.Name}}
}

func TestARunThatGetsNoTurnSaysSoOfEveryUser(t *testing.T) {
	keyring := factor.NewKeyring(string(testroot.New(t)), safefile.Patience{})
	k := enrollment.Store{Keyring: keyring}
	m := migration{Options: Options{Store: k, Proof: enrollment.ByRoot()}}
	for _, name := range []string{"alice", "bob"} {
		m.all = append(m.all, &candidate{Outcome: Outcome{User: name}})
	}
	var stopped error
	if err := k.Exclusive(func() error { stopped = m.save(); return nil }); err != nil {
		t.Fatal(err)
	}
	if !errors.Is(stopped, safefile.ErrBusy) {
		t.Errorf("got %v, want %v", stopped, safefile.ErrBusy)
	}
	for _, o := range m.outcomes(stopped) {
		if got, want := o.Line(), o.User+": not imported: "; !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q and why", got, want)
		}
	}
}

// host is a system with alice and bob, and no one else.
func host(t *testing.T) (Options, *[]string) {
	var changed []string
	known := map[string]User{
		"alice": {User: alice}, "bob": {User: record.User{Name: "bob", UID: 1001}},
	}
	return Options{
		Store: enrollment.Store{Keyring: testroot.New(t).Keyring()},
		Proof: enrollment.ByRoot(), Clock: func() time.Time { return testroot.Noon },
		LookUp: func(name string) (User, error) {
			if u, is := known[name]; is {
				return u, nil
			}
			return User{}, names.ErrUnknown
		},
		CheckPhone: func(record.Device) error { return nil },
		Changed:    func(o Outcome) { changed = append(changed, o.User+" "+o.Result) },
	}, &changed
}

func TestOneUserWhoCannotBeTakenOverStopsNoOther(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("skipped: a file that names users is root's, and this test does not run as root")
	}
	file := filepath.Join(t.TempDir(), "users.csv")
	const text = "user,type,secret\nalice,totp,0x3132333435363738393031323334353637383930\n" +
		"carol,totp,0x3132333435363738393031323334353637383931\n" +
		"bob,totp,no secret\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	options, changed := host(t)
	for _, want := range []struct {
		results []string
		changed []string
	}{
		{[]string{Taken, Unknown, Failed}, []string{"alice imported"}},
		{[]string{Unchanged, Unknown, Failed}, nil},
	} {
		*changed = nil
		outcomes, err := Run([]string{file}, options)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range outcomes {
			got = append(got, o.Result)
		}
		if !slices.Equal(got, want.results) || !slices.Equal(*changed, want.changed) {
			t.Errorf("got %q, changed %q; want %q, %q", got, *changed, want.results, want.changed)
		}
	}
}

func TestAUserInTwoFilesIsTakenOverFromNeither(t *testing.T) {
	options, _ := host(t)
	m := migration{Options: options}
	for _, file := range []string{"a", "b"} {
		c := &candidate{Outcome: Outcome{User: "alice", File: file}}
		c.entry.User = "alice"
		m.all = append(m.all, c)
	}
	m.identify()
	for i, want := range []string{"is also in b", "is also in a"} {
		if got := m.all[i].Problem; m.all[i].Result != Failed || got != want {
			t.Errorf("got %s, %q; want %s, %q", m.all[i].Result, got, Failed, want)
		}
	}
}
