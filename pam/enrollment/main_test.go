package enrollment_test

import (
	"fmt"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

func TestMain(m *testing.M) {
	testroot.Main(m, testroot.Roles{"add": add, "remove": remove, "reset": reset,
		"exchange": exchange, "rekey": rekey, "view": view, "together": together})
}

const uid = 1000

var (
	noon  = testroot.Noon
	three = limit.Guesses{
		Failures: limit.Rate{Count: 3, Window: 10 * time.Minute},
		Lock:     15 * time.Minute,
	}
	alice = record.User{Name: "alice", UID: uid}
)

// at returns a clock that stands still.
func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func name(i int) string { return fmt.Sprintf("user%d", i) }

// enrolled returns alice with a phone, and a code that is always wrong.
func enrolled(t *testing.T) (root testroot.Root, phone record.Device, wrong string) {
	t.Helper()
	phone = testroot.TOTP("phone")
	phone.Digits = 8
	root = testroot.New(t)
	root.Enroll(t, "alice", uid, phone)
	return root, phone, "00000000"
}

// expect types one code as alice, in a login of its own, and checks the result.
func expect(t *testing.T, root testroot.Root, code string, now time.Time, want factor.Result) {
	t.Helper()
	account, err := root.Keyring().Open(alice)
	testroot.Must(t, err)
	defer account.Close()
	every := func(method.Method) bool { return true }
	m, err := account.Verify(factor.Guess{Code: code, At: now, Accepts: every}, three)
	if testroot.Must(t, err); m.Result != want {
		t.Errorf("got result %d, want %d", m.Result, want)
	}
}

func failures(t *testing.T, root testroot.Root) int {
	t.Helper()
	st, err := root.Keyring().States.View("alice")
	testroot.Must(t, err)
	return len(st.Failures)
}

// add gives alice a tablet. Its argument is the root.
func add(args []string) error {
	return testroot.Root(args[0]).Store().Add(enrollment.ByRoot(), alice,
		testroot.TOTP("tablet"), 7)
}

// remove takes the tablet from alice. Its argument is the root.
func remove(args []string) error {
	return testroot.Root(args[0]).Store().Remove(enrollment.ByRoot(), alice, "tablet")
}

// reset takes everything from alice. Its argument is the root.
func reset(args []string) error {
	return testroot.Root(args[0]).Store().Reset(enrollment.ByRoot(), "alice")
}
