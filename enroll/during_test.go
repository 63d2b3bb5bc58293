package main

import (
	"errors"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
)

// rfcSecret is the secret of the RFCs' test vectors, in base32.
const rfcSecret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// logins has several logins try the same code at once until stop, and counts those that it lets
// in.
func logins(t *testing.T, k factor.Keyring, code string, at time.Time,
	stop <-chan struct{}) (accepted int64) {
	var all sync.WaitGroup
	var count atomic.Int64
	for range 4 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				result, err := tried(k, code, at)
				if err != nil && !errors.Is(err, factor.ErrUnenrolled) {
					t.Errorf("a login meanwhile: %v", err)
				}
				if result == factor.Accepted {
					count.Add(1)
				}
			}
		})
	}
	all.Wait()
	return count.Load()
}

func tried(k factor.Keyring, code string, at time.Time) (factor.Result, error) {
	account, err := k.Open(record.User{Name: "root", UID: 0})
	if err != nil {
		return factor.Wrong, err
	}
	defer account.Close()
	m, err := account.Verify(factor.Guess{Code: code, At: at, Accepts: func(method.Method) bool {
		return true
	}}, limit.Guesses{Failures: limit.Rate{Count: 64, Window: time.Hour}, Lock: time.Minute})
	return m.Result, err
}

func TestALoginDuringAnyCommandUsesItsCodeOnceAndNothingComesBack(t *testing.T) {
	exe, root := underRoot(t)
	secret, file := root+"/secret", root+"/.google_authenticator"
	for path, text := range map[string]string{secret: rfcSecret + "\n",
		file: rfcSecret + "\n\" TOTP_AUTH\n12345678\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	k := factor.NewKeyring(root, safefile.Patience{Limit: time.Minute})
	before := 0 // logins that were let in before the command ended
	for name, args := range map[string][]string{
		"add":     {"add", "totp", "--label", "another", "--yes"},
		"remove":  {"remove", "tablet"},
		"replace": {"replace", "--device", "tablet", "--yes"},
		"rename":  {"rename", "tablet", "--label", "watch"},
		"codes":   {"codes", "--yes"},
		"unlock":  {"unlock", "root"},
		"bypass":  {"bypass", "root"},
		"import":  {"import", "--user", "root", "--replace", file},
		"reset":   {"reset", "root"},
		"status":  {"status"},
		"list":    {"list"},
		"explain": {"explain", "root"},
	} {
		t.Run(name, func(t *testing.T) {
			for range 4 {
				wipe(t, root)
				runs(t, exe, "add", "totp", "--label", "phone", "--secret-file", secret, "--yes")
				runs(t, exe, "add", "totp", "--label", "tablet", "--yes")
				d := &record.Device{Algorithm: "SHA1", Digits: 6, Period: 30 * time.Second,
					Secret: []byte("12345678901234567890")}
				at := time.Now()
				code := codeAt(t, d, 0)
				stop := make(chan struct{})
				cmd := exec.Command(exe, args...)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				var ended error
				go func() {
					ended = cmd.Wait()
					close(stop)
				}()
				accepted := logins(t, k, code, at, stop)
				if ended != nil {
					t.Fatal(ended)
				}
				if result, err := tried(k, code, at); accepted > 0 &&
					result == factor.Accepted || accepted > 1 {
					t.Fatalf("%d logins with one code, and another one afterwards: %v, %v",
						accepted, result, err)
				}
				before += int(accepted)
				if name == "reset" {
					unenrolled(t, k, root)
				}
			}
		})
	}
	if before == 0 {
		t.Error("no login came before the end of a command: this shows nothing")
	}
}

// unenrolled demands that nothing of the user is there.
func unenrolled(t *testing.T, k factor.Keyring, root string) {
	t.Helper()
	if _, err := k.Open(record.User{Name: "root", UID: 0}); !errors.Is(err, factor.ErrUnenrolled) {
		t.Fatalf("after the reset: %v", err)
	}
	for _, path := range []string{"/etc/latchkey/users/root", "/var/lib/latchkey/users/root"} {
		if _, err := os.Lstat(root + path); !os.IsNotExist(err) {
			t.Errorf("%s came back: %v", path, err)
		}
	}
}
