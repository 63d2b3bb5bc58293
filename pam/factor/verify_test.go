package factor_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/factor/oath"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

const uid = 1000

var (
	noon  = testroot.Noon
	three = limit.Guesses{Failures: limit.Rate{Count: 3, Window: 10 * time.Minute},
		Lock: 15 * time.Minute}
)

func every(method.Method) bool { return true }

func open(t *testing.T, root testroot.Root) *factor.Account {
	t.Helper()
	account, err := root.Keyring().Open(record.User{Name: "alice", UID: uid})
	testroot.Must(t, err)
	t.Cleanup(account.Close)
	return account
}

// try types one code as alice, in a login of its own.
func try(t *testing.T, root testroot.Root, code string, now time.Time) factor.Match {
	t.Helper()
	account := open(t, root)
	defer account.Close()
	m, err := compare(account, code, now, three, every)
	testroot.Must(t, err)
	return m
}

// expect types one code and demands what becomes of it.
func expect(t *testing.T, root testroot.Root, code string, now time.Time, want factor.Result) {
	t.Helper()
	if m := try(t, root, code, now); m.Result != want {
		t.Errorf("result %d, not %d", m.Result, want)
	}
}

func TestStepIsAcceptedOnceAndNoEarlierOneAfterIt(t *testing.T) {
	const ok, replayed, wrong = factor.Accepted, factor.Replayed, factor.Wrong
	type typed struct {
		step int // whose code is typed …
		at   int // … in which step
		want factor.Result
	}
	cases := []struct {
		name  string
		typed []typed
	}{
		{"this step's code", []typed{{0, 0, ok}}},
		{"the last step's code", []typed{{-1, 0, ok}}},
		{"the next step's code", []typed{{1, 0, ok}}},
		{"the code of two steps ago", []typed{{-2, 0, wrong}}},
		{"the code of two steps ahead", []typed{{2, 0, wrong}}},
		{"the same code again", []typed{{0, 0, ok}, {0, 0, replayed}, {0, 1, replayed}}},
		{"the same code again, long after", []typed{{0, 0, ok}, {0, 2880, wrong}}},
		{"step N after N+1", []typed{{1, 0, ok}, {0, 0, replayed}, {1, 0, replayed},
			{-1, 0, replayed}}},
		{"step N+1 after N", []typed{{0, 0, ok}, {1, 0, ok}}},
		{"the next step when it comes", []typed{{0, 0, ok}, {1, 1, ok}, {2, 2, ok}}},
		{"the clock set back by an hour", []typed{{0, 0, ok}, {-120, -120, replayed}}},
		{"the clock set back by an hour and forward again",
			[]typed{{0, 0, ok}, {-120, -120, replayed}, {0, 0, replayed}, {1, 0, ok}}},
		{"the clock set forward by an hour and back again",
			[]typed{{0, 0, ok}, {120, 120, ok}, {1, 1, replayed}}},
		{"a wrong code between", []typed{{0, 0, ok}, {9, 0, wrong}, {0, 0, replayed}}},
	}
	for _, c := range cases {
		for _, period := range []time.Duration{30 * time.Second, time.Minute, 7 * time.Second} {
			t.Run(c.name+", period "+period.String(), func(t *testing.T) {
				phone := testroot.TOTP("phone")
				phone.Period = period
				root := testroot.New(t)
				root.Enroll(t, "alice", uid, phone)
				middle := noon.Truncate(period).Add(period / 2)
				for i, typed := range c.typed {
					code := testroot.Code(t, phone, middle.Add(time.Duration(typed.step)*period))
					at := middle.Add(time.Duration(typed.at) * period)
					if m := try(t, root, code, at); m.Result != typed.want ||
						m.Device == nil != (typed.want == wrong) {
						t.Errorf("code %d: result %d, not %d", i+1, m.Result, typed.want)
					}
				}
			})
		}
	}
}

func TestEveryDeviceHasItsOwnSteps(t *testing.T) {
	phone, tablet := testroot.TOTP("phone"), testroot.TOTP("tablet")
	tablet.Digits, tablet.Algorithm = 8, "SHA256"
	watch := testroot.TOTP("watch")
	root := testroot.New(t)
	root.Enroll(t, "alice", uid, phone, tablet, watch)
	for _, d := range []record.Device{tablet, watch, phone} {
		code := testroot.Code(t, d, noon)
		if m := try(t, root, code, noon); m.Result != factor.Accepted ||
			m.Device.Label != d.Label {
			t.Errorf("%s: %+v", d.Label, m)
		}
		if m := try(t, root, code, noon); m.Result != factor.Replayed ||
			m.Device.Label != d.Label {
			t.Errorf("%s again: %+v", d.Label, m)
		}
	}
}

func TestCodeOfTwoDevicesIsAcceptedOnceForEach(t *testing.T) {
	one, two := testroot.TOTP("one"), testroot.TOTP("two")
	two.Secret = one.Secret
	root := testroot.New(t)
	root.Enroll(t, "alice", uid, one, two)
	code := testroot.Code(t, one, noon)
	expect(t, root, code, noon, factor.Accepted)
	expect(t, root, code, noon, factor.Accepted)
	expect(t, root, code, noon, factor.Replayed)
}

func TestAcceptedCodeIsNotedWithItsTime(t *testing.T) {
	phone := testroot.TOTP("phone")
	root := testroot.New(t)
	root.Enroll(t, "alice", uid, phone)
	try(t, root, testroot.Code(t, phone, noon.Add(30*time.Second)), noon)
	st, err := root.Keyring().States.View("alice")
	testroot.Must(t, err)
	if used := st.Device(phone.ID); used.Counter != oath.Step(&phone, noon)+1 ||
		!used.Used.Equal(noon) {
		t.Errorf("%+v", used)
	}
}

func TestDeviceThatIsNotAllowedIsNotCompared(t *testing.T) {
	phone := testroot.TOTP("phone")
	root := testroot.New(t)
	root.Enroll(t, "alice", uid, phone)
	m, err := compare(open(t, root), testroot.Code(t, phone, noon), noon, three,
		func(method.Method) bool { return false })
	if err != nil || m.Result != factor.Impossible || m.Device != nil {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestCodeOfAnotherLengthMatchesNoDevice(t *testing.T) {
	phone := testroot.TOTP("phone")
	phone.Digits = 8
	root := testroot.New(t)
	root.Enroll(t, "alice", uid, phone)
	expect(t, root, testroot.Code(t, phone, noon)[2:], noon, factor.Impossible)
	expect(t, root, testroot.Code(t, phone, noon), noon, factor.Accepted)
}

func TestStateThatMissesADeviceIsAnError(t *testing.T) {
	phone, tablet := testroot.TOTP("phone"), testroot.TOTP("tablet")
	root := testroot.New(t)
	rec := root.Enroll(t, "alice", uid, phone, tablet)
	testroot.Must(t, root.Keyring().States.Create("alice", state.State{
		UID: uid, Enrollment: rec.Enrollment, Devices: []state.Device{{ID: phone.ID}},
	}))
	m, err := compare(open(t, root), testroot.Code(t, phone, noon), noon, three, every)
	if !errors.Is(err, factor.ErrState) || m.Result == factor.Accepted {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestAccountIsNotOpenedWhen(t *testing.T) {
	cases := []struct {
		name   string
		change func(t *testing.T, root testroot.Root)
		want   error
		says   string
	}{
		{"without a record", func(t *testing.T, root testroot.Root) {
			testroot.Must(t, os.Remove(root.Record("alice")))
		}, factor.ErrRecord, "enroll reset alice"},
		{"without a record and a state", func(t *testing.T, root testroot.Root) {
			testroot.Must(t, os.Remove(root.Record("alice")))
			testroot.Must(t, os.Remove(root.State("alice")))
		}, factor.ErrUnenrolled, ""},
		{"without a state", func(t *testing.T, root testroot.Root) {
			testroot.Must(t, os.Remove(root.State("alice")))
		}, factor.ErrState, "enroll reset alice"},
		{"with a state of an earlier enrollment", func(t *testing.T, root testroot.Root) {
			old := testroot.Read(t, root.State("alice"))
			root.Enroll(t, "alice", uid, testroot.TOTP("tablet"))
			testroot.Write(t, root.State("alice"), old)
		}, factor.ErrState, "another enrollment"},
		{"with a record of an earlier enrollment", func(t *testing.T, root testroot.Root) {
			old := testroot.Read(t, root.Record("alice"))
			root.Enroll(t, "alice", uid, testroot.TOTP("tablet"))
			testroot.Write(t, root.Record("alice"), old)
		}, factor.ErrState, "another enrollment"},
		{"with a state of another uid", func(t *testing.T, root testroot.Root) {
			rec, err := root.Keyring().Records.Load(record.User{Name: "alice", UID: uid})
			testroot.Must(t, err)
			testroot.Must(t, root.Keyring().States.Create("alice",
				state.State{UID: uid + 1, Enrollment: rec.Enrollment}))
		}, factor.ErrState, "another enrollment"},
		{"with a record of another uid", func(t *testing.T, root testroot.Root) {
			root.Enroll(t, "alice", uid+1, testroot.TOTP("phone"))
		}, factor.ErrRecord, "another user"},
		{"with a damaged record", func(t *testing.T, root testroot.Root) {
			testroot.Write(t, root.Record("alice"), nil)
		}, factor.ErrRecord, "changed or damaged"},
		{"with a damaged state", func(t *testing.T, root testroot.Root) {
			testroot.Write(t, root.State("alice"), nil)
		}, factor.ErrState, "damaged"},
		{"with a state that others can read", func(t *testing.T, root testroot.Root) {
			testroot.Must(t, os.Chmod(root.State("alice"), 0o644))
		}, factor.ErrState, "mode 0644"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			root := testroot.New(t)
			root.Enroll(t, "alice", uid, testroot.TOTP("phone"))
			c.change(t, root)
			account, err := root.Keyring().Open(record.User{Name: "alice", UID: uid})
			if err == nil {
				account.Close()
				t.Fatal("it was opened")
			}
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error is %v", err)
			}
			for _, other := range []error{factor.ErrUnenrolled, factor.ErrRecord,
				factor.ErrState} {
				if other != c.want && errors.Is(err, other) {
					t.Errorf("error is %v as well", other)
				}
			}
			if st, err := root.Keyring().States.Open("alice"); err == nil {
				st.Close() // the lock is free
			} else if strings.Contains(err.Error(), "locked") {
				t.Error(err)
			}
		})
	}
}
