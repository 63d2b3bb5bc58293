package doctor

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// FAULTS 24, 36
func TestALockThatIsHeldForLongIsNamed(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	put(t, root, "/var/lib/latchkey/users/alice", "", 0o600)
	put(t, root, "/proc/42/comm", "latchkey-login\n", 0o644)
	var st unix.Stat_t
	if err := unix.Stat(root+"/var/lib/latchkey/users/alice", &st); err != nil {
		t.Fatal(err)
	}
	locked := fmt.Sprintf("1: POSIX  ADVISORY  WRITE 7 00:1a:9 0 EOF\n2: FLOCK  ADVISORY  WRITE 42 00:1a:%d 0 EOF\n", st.Ino)
	for after, want := range map[string]string{
		locked: "[warning: /var/lib/latchkey/users/alice: process 42 (latchkey-login) has held its lock for more than 2s]",
		"":     "[]",
	} {
		put(t, root, "/proc/locks", locked, 0o644)
		d, waited := doctorFor(root, "sshd"), time.Duration(0)
		d.Pause = func(long time.Duration) {
			waited += long
			put(t, root, "/proc/locks", after, 0o644)
		}
		if got := fmt.Sprint(examined(d.checkLocks())); got != want || waited != long {
			t.Errorf("got %s after %v, want %s after %v", got, waited, want, long)
		}
	}
}
