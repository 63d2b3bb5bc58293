package factor_test

import (
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// bypassed is a host where root gave alice a code at noon.
func bypassed(t *testing.T) (testroot.Root, string) {
	t.Helper()
	root := testroot.New(t)
	root.Enroll(t, "alice", uid, testroot.TOTP("phone"))
	code, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, root.Store().SetBypass(enrollment.ByRoot(),
		record.User{Name: "alice", UID: uid}, g))
	return root, code
}

func verify(t *testing.T, root testroot.Root, code string, now time.Time) factor.Match {
	t.Helper()
	account, err := root.Keyring().Open(record.User{Name: "alice", UID: uid})
	testroot.Must(t, err)
	defer account.Close()
	m, err := compare(account, code, now, three, func(method.Method) bool { return false })
	testroot.Must(t, err)
	return m
}

func TestBypassCodeWorksOnceUnderAnyRule(t *testing.T) {
	root, code := bypassed(t)
	if m := verify(t, root, code, noon); m.Result != factor.Accepted ||
		m.Method != method.Bypass || m.Device != nil {
		t.Fatalf("%+v", m)
	}
	if m := verify(t, root, code, noon); m.Result != factor.Impossible {
		t.Errorf("the second time: got %+v, want that nothing has such a code", m)
	}
}

func TestBypassCodeWorksOnlyUntilItExpires(t *testing.T) {
	for name, at := range map[string]time.Time{
		"when it ends":                   noon.Add(time.Hour),
		"afterwards":                     noon.Add(time.Hour + time.Second),
		"on a clock set back by a month": noon.Add(-30 * 24 * time.Hour),
	} {
		root, code := bypassed(t)
		if m := verify(t, root, code, at); m.Result != factor.Impossible {
			t.Errorf("%s: got %+v, want that nothing has such a code", name, m)
		}
	}
	root, code := bypassed(t)
	if m := verify(t, root, code, noon.Add(time.Hour-time.Second)); m.Result != factor.Accepted {
		t.Errorf("a second before its end: %+v", m)
	}
}

func TestNewBypassCodeReplacesTheOldOne(t *testing.T) {
	root, old := bypassed(t)
	fresh, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, root.Store().SetBypass(enrollment.ByRoot(),
		record.User{Name: "alice", UID: uid}, g))
	if m := verify(t, root, old, noon); m.Result != factor.Wrong {
		t.Errorf("the old one: %+v", m)
	}
	if m := verify(t, root, fresh, noon); m.Result != factor.Accepted {
		t.Errorf("the new one: %+v", m)
	}
}

func TestWrongBypassCodeIsAGuessAndLocks(t *testing.T) {
	root, code := bypassed(t)
	for range 3 {
		verify(t, root, "0000000000", noon)
	}
	if m := verify(t, root, code, noon); m.Result != factor.Locked {
		t.Errorf("%+v", m)
	}
}

func TestBypassCodeEndsWhereAnImportReplacesEverything(t *testing.T) {
	root, _, _ := enrolled(t)
	k := root.Store()
	code, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, k.SetBypass(enrollment.ByRoot(), record.User{Name: "alice", UID: uid}, g))
	e := enrollment.Enrollment{Devices: []record.Device{testroot.TOTP("google")},
		Counters: []uint64{0}}
	testroot.Must(t, k.Replace(enrollment.ByRoot(), record.User{Name: "alice", UID: uid}, e))
	expect(t, root, code, noon, factor.Impossible)
}
