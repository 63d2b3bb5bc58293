package factor_test

import (
	"fmt"
	"os"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/factor/oath"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// A code is accepted once. What became of a guess is on the disk before Verify returns.
func ExampleAccount_Verify() {
	root, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(root)
	for _, dir := range []string{"/etc/latchkey/users", "/var/lib/latchkey/users",
		"/var/lib/latchkey/uids"} {
		if err := os.MkdirAll(root+dir, 0o700); err != nil {
			fmt.Println(err)
		}
	}
	app := record.Device{
		ID: state.DeviceID{1}, Type: method.TOTP, Label: "phone",
		Secret:    []byte("12345678901234567890"),
		Algorithm: "SHA1", Digits: 6, Period: 30 * time.Second,
		Created: time.Unix(1800000000, 0),
	}
	alice := record.User{Name: "alice", UID: 1000}
	keyring := factor.NewKeyring(root, safefile.Patience{})
	store := enrollment.Store{Keyring: keyring}
	if err := store.Add(enrollment.ByRoot(), alice, app, 0); err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2027, time.January, 31, 12, 0, 0, 0, time.UTC)
	code, err := oath.Code(&app, oath.Step(&app, now))
	if err != nil {
		fmt.Println(err)
	}
	limits := limit.Guesses{
		Failures: limit.Rate{Count: 10, Window: 10 * time.Minute}, Lock: 15 * time.Minute,
	}
	for range 2 {
		account, err := keyring.Open(alice)
		if err != nil {
			fmt.Println(err)
			return
		}
		m, err := account.Verify(factor.Guess{
			Code: code, At: now, Accepts: func(m method.Method) bool { return m == method.TOTP },
		}, limits)
		fmt.Println(m.Result == factor.Accepted, m.Result == factor.Replayed, err)
		account.Close()
	}
	// Output:
	// true false <nil>
	// false true <nil>
}
