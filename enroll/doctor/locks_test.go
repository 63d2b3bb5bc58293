package doctor

import (
	"bufio"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// holding starts a process that locks a file until it is told to let go.
func holding(t *testing.T, file string) (letGo func()) {
	t.Helper()
	holder := exec.Command("flock", "--no-fork", file, "sh", "-c", "echo locked; cat")
	in, err := holder.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		in.Close()
		holder.Wait()
	})
}

// FAULTS 24, 36.
func TestALockThatIsHeldForLongIsNamed(t *testing.T) {
	root := t.TempDir()
	installed(t, root)
	const file = "/var/lib/latchkey/users/alice"
	put(t, root, file, "", 0o600)
	for name, c := range map[string]struct {
		frees bool
		want  string
	}{"held": {false, "error: " + file + ": process "}, "free again": {true, ""}} {
		letGo := holding(t, root+file)
		d, waited := doctorFor(root, "sshd"), time.Duration(0)
		d.Pause = func(time time.Duration) {
			waited += time
			if c.frees {
				letGo()
			}
		}
		got := strings.Join(examined(d.checkLocks()), "; ")
		letGo()
		if !strings.HasPrefix(got, c.want) || c.want == "" && got != "" || waited != long {
			t.Errorf("%s: got %q after %v, want %q after %v", name, got, waited, c.want, long)
		}
	}
}
