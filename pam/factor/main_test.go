package factor_test

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

func TestMain(m *testing.M) {
	testroot.Main(m, testroot.Roles{"guess": guess, "accept": accept, "send": send})
}

// guess tries codes at noon as alice, and prints an x for each that was compared: the root, the
// first code, how many.
func guess(args []string) error {
	first, _ := strconv.Atoi(args[1])
	count, _ := strconv.Atoi(args[2])
	for i := range count {
		compared, _, err := attempt(testroot.Root(args[0]), fmt.Sprintf("%08d", first+i))
		if err != nil {
			return err
		}
		fmt.Print(strings.Repeat("x", compared))
	}
	return nil
}

// attempt tries one code at noon as alice with a keyring of its own.
func attempt(root testroot.Root, code string) (compared int, result factor.Result, err error) {
	account, err := root.Keyring().Open(record.User{Name: "alice", UID: uid})
	if err != nil {
		return 0, 0, err
	}
	defer account.Close()
	m, err := compare(account, code, noon, three, func(method.Method) bool {
		compared++
		return true
	})
	return compared, m.Result, err
}

// compare compares a code that a user typed at now with what allowed accepts.
func compare(a *factor.Account, code string, now time.Time, l limit.Guesses,
	allowed func(method.Method) bool) (factor.Match, error) {
	return a.Verify(factor.Guess{Code: code, At: now, Accepts: allowed}, l)
}

// accept tries one code at noon as alice, and fails unless it is accepted: the root, the code.
func accept(args []string) error {
	if _, result, err := attempt(testroot.Root(args[0]), args[1]); err != nil ||
		result != factor.Accepted {
		return fmt.Errorf("result %d, %v", result, err)
	}
	return nil
}

// send reserves a code for user0 at noon: the root, the phone's id.
func send(args []string) error {
	var id state.DeviceID
	if _, err := hex.Decode(id[:], []byte(args[1])); err != nil {
		return err
	}
	_, err := testroot.Root(args[0]).Keyring().ReserveSend(record.User{Name: "user0", UID: uid},
		id, sends, noon)
	return err
}
