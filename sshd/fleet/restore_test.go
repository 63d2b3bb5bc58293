package fleet_test

import (
	"path/filepath"
	"strings"
	"testing"

	"latchkey/sshd/fleet"
)

// In a restored backup, codes are unused that were used since. So everyone is denied until an
// administrator accepts the restore, and such a code stays dead.
func TestARestoredBackupDeniesEveryoneAndRevivesNoCode(t *testing.T) {
	t.Parallel()
	f := start(t, fleet.Options{Hosts: 1})
	users, err := f.Users(2)
	must(t, err)
	u, other := users[0], users[1]
	codes, err := f.Hosts[0].Exec("", "/usr/bin/enroll", "codes", "--user", u.Name, "--yes")
	must(t, err)
	code := strings.Fields(codes)[0]
	backup := filepath.Join(t.TempDir(), "snapshot")
	must(t, f.Etcd.Snapshot(backup))
	if shown, in := see(t, f.Hosts[0], u.Name, code); !in {
		t.Fatalf("a recovery code: got\n%s", shown)
	}
	must(t, f.Etcd.Restore(backup))
	if shown, in := see(t, f.Hosts[0], u.Name, code); in {
		t.Fatalf("at once after the restore: got in\n%s", shown)
	}
	must(t, f.Refusing())
	for i, typed := range []string{code, u.Code()} {
		if shown, in := see(t, f.Hosts[0], u.Name, typed); in {
			t.Fatalf("%s after the restore: got in\n%s", typed, shown)
		}
		contains(t, "the log", lastLine(t, f.Hosts[0], u.Name, i+3), "reason=fleet", "rollback")
	}
	_, err = f.Services[0].Command("", "accept-restore", "--yes")
	must(t, err)
	must(t, f.Ready()) // each service notices it by itself
	for _, typed := range []string{code, u.Code()} {
		if shown, in := see(t, f.Hosts[0], u.Name, typed); in {
			t.Errorf("%s after accept-restore: got in\n%s", typed, shown)
		}
	}
	_, err = f.Hosts[0].Exec("", "/usr/bin/enroll", "reset", other.Name)
	must(t, err)
	must(t, f.Seed(other))
	if shown, in := see(t, f.Hosts[0], other.Name, other.Code()); !in {
		t.Errorf("a new app after accept-restore: got\n%s", shown)
	}
}
