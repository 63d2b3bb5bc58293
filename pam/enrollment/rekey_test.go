package enrollment_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// rekey replaces the host key. Its argument is the root.
func rekey(args []string) error {
	_, err := testroot.Root(args[0]).Store().Rekey(enrollment.ByRoot(), nil)
	return err
}

// view reads alice's account. Its argument is the root.
func view(args []string) error {
	_, _, err := testroot.Root(args[0]).Keyring().View(alice)
	return err
}

// people enrolls this many users: alice, and user1 to the last.
func people(t *testing.T, count int) testroot.Root {
	t.Helper()
	root := testroot.New(t)
	root.Enroll(t, "alice", uid, testroot.TOTP("phone"))
	for i := 1; i < count; i++ {
		root.Enroll(t, name(i), uid+uint32(i), testroot.TOTP("phone"))
	}
	return root
}

// opens demands that the records of people open.
func opens(t *testing.T, root testroot.Root, count int, when string) {
	t.Helper()
	for i := range count {
		u := record.User{Name: name(i), UID: uid + uint32(i)}
		if i == 0 {
			u = alice
		}
		if _, _, err := root.Keyring().View(u); err != nil {
			t.Fatalf("%s: the account of %s: %v", when, u.Name, err)
		}
	}
}

func TestRekeySealsEveryRecordWithANewKeyAndTheOldKeyOpensNothing(t *testing.T) {
	root := people(t, 300) // more than one batch
	before := testroot.Read(t, root.Key())
	done, err := root.Store().Rekey(enrollment.ByRoot(), nil)
	testroot.Must(t, err)
	if done.Records != 300 || len(done.Foreign) > 0 {
		t.Errorf("got %+v, want 300 records", done)
	}
	opens(t, root, 300, "afterwards")
	after := testroot.Read(t, root.Key())
	if bytes.Equal(before, after) || bytes.Count(after, []byte("\n")) != 1 {
		t.Errorf("the key file: got %d lines, want one with another key",
			bytes.Count(after, []byte("\n")))
	}
	testroot.Write(t, root.Key(), before)
	if _, _, err := root.Keyring().View(alice); !errors.Is(err, record.ErrMAC) {
		t.Errorf("with the old key: got %v, want ErrMAC", err)
	}
}

// FAULTS 20
func TestRekeyKilledAtAnySystemCallLeavesEveryRecordOneThatOpens(t *testing.T) {
	root := people(t, 3)
	killed := testroot.KillAtEveryCall(t, "rekey", []string{string(root)},
		func(before string, _ bool) {
			opens(t, root, 3, "killed before "+before)
		})
	if killed < 10 {
		t.Errorf("killed %d times: the injection does not work", killed)
	}
	testroot.Must(t, rekey([]string{string(root)}))
	opens(t, root, 3, "in the end")
	if text := testroot.Read(t, root.Key()); bytes.Count(text, []byte("\n")) != 1 {
		t.Errorf("got a key file of %d bytes, want one key", len(text))
	}
}

// FAULTS 23
func TestLoginsWorkDuringARekey(t *testing.T) {
	root := people(t, 20)
	logins, stop := make(chan error), make(chan struct{})
	go func() {
		for {
			account, err := root.Keyring().Open(alice)
			if err == nil {
				account.Close()
				_, _, err = root.Keyring().View(alice)
			}
			select {
			case logins <- err: // someone waits for one
			case <-stop:
				return
			default:
				if err != nil {
					logins <- err
				}
			}
		}
	}()
	for range 30 {
		if err := <-logins; err != nil {
			t.Fatalf("a login meanwhile: got %v, want none", err)
		}
		testroot.Must(t, rekey([]string{string(root)}))
	}
	close(stop)
}

// FAULTS 23
func TestAnAccountIsReadWhenTheKeyIsReplacedAfterAnyLook(t *testing.T) {
	root, stops := people(t, 1), 0
	testroot.Stops(t, "openat", func(strace []string, stopped func(<-chan struct{}) bool,
		after string) bool {
		var said strings.Builder
		reader, over := testroot.Role(strace, "view", string(root)), make(chan struct{})
		reader.Stderr = &said
		testroot.Must(t, reader.Start())
		go func() {
			reader.Wait()
			close(over)
		}()
		if !stopped(over) {
			return false
		}
		stops++
		testroot.Must(t, rekey([]string{string(root)}))
		resume(reader.Process.Pid, over)
		if !reader.ProcessState.Success() {
			t.Errorf("the key was replaced after %s: got %s, want the account", after, &said)
		}
		return true
	})
	if stops < 5 {
		t.Errorf("stopped %d times: the injection does not work", stops)
	}
}

// resume has the program go on that strace has stopped, until it is over: strace counts the calls
// of each thread, and so may stop another one later.
func resume(strace int, over <-chan struct{}) {
	for {
		children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", strace, strace))
		if child, err := strconv.Atoi(strings.TrimSpace(string(children))); err == nil {
			syscall.Kill(child, syscall.SIGCONT)
		}
		select {
		case <-over:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func TestRekeyNamesRecordsThatNoKeyOpensAndLeavesThemAsTheyAre(t *testing.T) {
	root := people(t, 3)
	foreign := people(t, 2)
	testroot.Write(t, root.Record("user1"), testroot.Read(t, foreign.Record("user1")))
	testroot.Unchanged(t, root.Record("user1"))
	done, err := root.Store().Rekey(enrollment.ByRoot(), nil)
	testroot.Must(t, err)
	if done.Records != 2 || !slices.Equal(done.Foreign, []string{"user1"}) {
		t.Errorf("got %+v, want 2 records, and user1 named", done)
	}
}

// A record under another name is one that is refused; it does not come back as its user's.
func TestRekeyLeavesARecordUnderTheNameOfItsFile(t *testing.T) {
	root := people(t, 1)
	old := testroot.Read(t, root.Record("alice"))
	root.Enroll(t, "alice", uid, testroot.TOTP("tablet"))
	testroot.Write(t, root.Record("mallory"), old)
	testroot.Must(t, rekey([]string{string(root)}))
	r, _, err := root.Keyring().View(alice)
	testroot.Must(t, err)
	if r.Find("tablet") == nil {
		t.Errorf("alice's devices: got %+v, want the tablet", r.Devices)
	}
	mallory := record.User{Name: "mallory", UID: uid}
	if _, err := root.Keyring().Records.Load(mallory); err == nil {
		t.Error("mallory's record: got one, want that it is refused")
	}
}

func TestRekeyThatCannotSealARecordKeepsBothKeys(t *testing.T) {
	root := people(t, 2)
	newer := bytes.Replace(testroot.Read(t, root.Record("user1")), []byte("version = 1"),
		[]byte("version = 9"), 1)
	testroot.Write(t, root.Record("user1"), newer)
	_, err := root.Store().Rekey(enrollment.ByRoot(), nil)
	if !errors.Is(err, record.ErrNewer) {
		t.Fatalf("got %v, want ErrNewer", err)
	}
	if !bytes.Equal(testroot.Read(t, root.Record("user1")), newer) {
		t.Error("the record was changed")
	}
	opens(t, root, 1, "afterwards")
	if text := testroot.Read(t, root.Key()); bytes.Count(text, []byte("\n")) != 2 {
		t.Errorf("got a key file of %d bytes, want both keys", len(text))
	}
	testroot.Must(t, os.Remove(root.Record("user1")))
	testroot.Must(t, os.Remove(root.State("user1")))
	testroot.Must(t, rekey([]string{string(root)}))
	opens(t, root, 1, "once the record is gone")
}

func TestRekeyEndsTrust(t *testing.T) {
	root := people(t, 2)
	st, err := root.Keyring().States.Open("alice")
	testroot.Must(t, err)
	st.Trusts = []state.Trust{{Since: noon, Days: 30}}
	testroot.Must(t, st.Commit())
	st.Close()
	done, err := root.Store().Rekey(enrollment.ByRoot(), nil)
	testroot.Must(t, err)
	after, err := root.Keyring().States.View("alice")
	testroot.Must(t, err)
	if done.Trusting != 1 || len(after.Trusts) > 0 {
		t.Errorf("got %+v and %+v, want one user, and no trust", done, after.Trusts)
	}
}

func TestRekeyWithoutAHostKeySaysSo(t *testing.T) {
	root := testroot.New(t)
	if _, err := root.Store().Rekey(enrollment.ByRoot(), nil); !errors.Is(err, record.ErrNoKey) {
		t.Errorf("got %v, want ErrNoKey", err)
	}
}
