package activate

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/enroll/activate/journal"
	"latchkey/enroll/activate/plan"
	"latchkey/pam/testroot"
)

func TestMain(m *testing.M) { testroot.Main(m, testroot.Roles{"full": full}) }

// full undoes an activation on a disk that has become full: an empty folder to mount it on.
func full(args []string) error {
	root := args[0]
	if err := unix.Mount("tmpfs", root, "tmpfs", 0, "size=2m,mode=0755"); err != nil {
		return err
	}
	err := errors.Join(os.MkdirAll(root+"/etc/pam.d", 0o755),
		os.MkdirAll(root+"/var/lib/latchkey", 0o700),
		os.WriteFile(root+pam, []byte("before\n"), 0o644))
	if err != nil {
		return err
	}
	now := journal.Now()
	nothing := func() error { return nil }
	a := Activation{Store: journal.Store{Root: root}, Now: func() journal.Moment { return now },
		Pause: func(time.Duration) {},
		Check: nothing, Reload: nothing, Arm: nothing, Disarm: nothing, Watch: nothing}
	_, err = a.Begin(plan.Plan{Changes: []plan.Change{{Path: pam, Existed: true,
		Before: "before\n", After: "after\n"}}}, plan.Wish{SSHD: "sshd"}, time.Minute)
	if err != nil {
		return err
	}
	if err := os.WriteFile(root+"/rest", make([]byte, 4<<20), 0o600); !errors.Is(err,
		unix.ENOSPC) {
		return fmt.Errorf("the disk is not full: %v", err)
	}
	now.Up += time.Hour
	j, err := a.Overdue()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(root + pam)
	if err != nil || string(text) != "before\n" || j.State != journal.Inactive {
		return fmt.Errorf("%s has %q, %v, and the activation is %s", pam, text, err, j.State)
	}
	return nil
}

func TestFullDiskStopsNoRollback(t *testing.T) {
	if out, err := testroot.RoleWithMounts(t, "full", t.TempDir()).CombinedOutput(); err != nil {
		t.Errorf("%s", out)
	}
}
