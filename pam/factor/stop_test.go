package factor_test

import (
	"fmt"
	"testing"
	"time"

	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

// FAULTS 24, 36: the file that counts for the whole host is shared by all logins, so no login may
// keep it locked.
func TestSendStoppedAfterAnySystemCallHoldsUpNoOtherUsersSend(t *testing.T) {
	testroot.NeedRoot(t, "only root ends others")
	root, ids := phones(t, 2)
	own, host := root.State("user0"), root.Join("var/lib/latchkey/host")
	other := root.State("user1")
	files := map[string][]byte{own: testroot.Read(t, own), host: testroot.Read(t, host),
		other: testroot.Read(t, other)}
	stops, ended := 0, 0
	testroot.Stops(t, "flock pwrite64 fdatasync",
		func(strace []string, stopped func(<-chan struct{}) bool, after string) bool {
			for path, fresh := range files {
				testroot.Write(t, path, fresh)
			}
			first, over := testroot.Role(strace, "send", string(root),
				fmt.Sprintf("%x", ids[0])), make(chan struct{})
			testroot.Must(t, first.Start())
			go func() {
				first.Wait()
				close(over)
			}()
			if !stopped(over) {
				return false
			}
			if stops++; stops > 50 {
				t.Fatal("it is stopped without end")
			}
			k := root.KeyringWaiting(safefile.Patience{Limit: 5 * time.Second,
				Ended: func(safefile.Holder) { ended++ }})
			if wait, err := k.ReserveSend(record.User{Name: "user1", UID: uidOf(1)}, ids[1], sends,
				noon); wait != 0 || err != nil {
				t.Errorf("stopped after %s: got a wait of %v, %v; want the other user's "+
					"send reserved",
					after, wait, err)
			}
			account, err := k.Open(record.User{Name: "user0", UID: uid})
			if err != nil {
				t.Fatalf("stopped after %s: the user's own state: %v", after, err)
			}
			account.Close()
			// strace, which leaves what it traced stopped unless that was ended
			first.Process.Kill()
			<-over
			return true
		})
	if stops < 5 || ended == 0 {
		t.Errorf("got %d stopped, %d of them ended; want both that held the host's lock and "+
			"that did not", stops, ended)
	}
}
