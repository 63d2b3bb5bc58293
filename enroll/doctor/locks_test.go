package doctor

import (
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The test itself is the process that holds the lock, and lets go of it or not. FAULTS 24, 36
func TestALockThatIsHeldForLongIsNamed(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	const file = "/var/lib/latchkey/users/alice"
	put(t, root, file, "", 0o600)
	for name, c := range map[string]struct {
		frees bool
		want  string
	}{"held": {false, "error: " + file + ": process "}, "free again": {true, ""}} {
		f, err := os.Open(root + file)
		if err != nil {
			t.Fatal(err)
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
			t.Fatal(err)
		}
		d, waited := doctorFor(root, "sshd"), time.Duration(0)
		d.Pause = func(time time.Duration) {
			waited += time
			if c.frees {
				f.Close()
			}
		}
		got := strings.Join(examined(d.checkLocks()), "; ")
		f.Close()
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" || waited != long {
			t.Errorf("%s: got %q after %v, want %q after %v", name, got, waited, c.want, long)
		}
	}
}
