package cluster_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/sshd/fleet/cluster"
	"latchkey/sshd/poll"
)

const key = cluster.Prefix + "test"

// start runs a cluster for a test, and shows what its nodes said if the test fails.
func start(t *testing.T, o cluster.Options) *cluster.Cluster {
	t.Helper()
	t.Parallel()
	c, err := cluster.Start(t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Log("etcd", c.Version)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			c.Logs(os.Stderr)
		}
	})
	return c
}

func leader(t *testing.T, c *cluster.Cluster) *cluster.Node {
	t.Helper()
	n, err := c.Leader()
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// try runs etcdctl with latchkey's rights, ten seconds at most: where no node answers, it fails
// only then.
func try(t *testing.T, n *cluster.Node, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	return n.UserCtl(ctx, args...)
}

func ctl(t *testing.T, n *cluster.Node, args ...string) string {
	t.Helper()
	out, err := n.UserCtl(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// value waits until the node reads the value.
func value(t *testing.T, n *cluster.Node, want string) {
	t.Helper()
	err := poll.Until(key+" at "+n.Name, time.Minute, n.Reads(key, want))
	if err != nil {
		t.Error(err)
	}
}

func TestTheUsersRightsEndAtItsPrefix(t *testing.T) {
	n := leader(t, start(t, cluster.Options{}))
	ctl(t, n, "put", key, "1")
	value(t, n, "1")
	for _, args := range [][]string{
		{"put", "/latchkey/2/test", "1"}, {"get", "/latchkey/", "--prefix"},
		{"get", "/latchkey/1", "--prefix"}, {"user", "list"}, {"auth", "disable"},
	} {
		if _, err := n.UserCtl(t.Context(), args...); err == nil ||
			!strings.Contains(err.Error(), "permission denied") {
			t.Errorf("etcdctl %s: got %v, want permission denied", strings.Join(args, " "), err)
		}
	}
}

func TestANodeThatIsKilledOrStoppedIsReplacedAndComesBack(t *testing.T) {
	c := start(t, cluster.Options{})
	for name, fault := range map[string][2]func(*cluster.Node) error{
		"kill": {(*cluster.Node).Kill, (*cluster.Node).Start},
		"stop": {(*cluster.Node).Stop, (*cluster.Node).Continue},
	} {
		old := leader(t, c)
		if err := fault[0](old); err != nil {
			t.Fatal(err)
		}
		other := c.Other(old)
		err := poll.Until("a write after "+name, time.Minute, func() error {
			_, err := try(t, other, "put", key, name)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := fault[1](old); err != nil {
			t.Fatal(err)
		}
		value(t, old, name)
	}
}

// A leader that is cut off still answers reads that ask no one else, with what was true before. So
// no such read may decide about a code.
func TestALeaderThatIsCutOffReadsTheOldValueUnlessTheReadIsLinearizable(t *testing.T) {
	c := start(t, cluster.Options{})
	old := leader(t, c)
	ctl(t, old, "put", key, "before")
	old.Isolate()
	other := leader(t, c)
	if other == old {
		t.Fatal("the node that is cut off leads")
	}
	ctl(t, other, "put", key, "after")
	if got := ctl(t, old, "get", key, "--print-value-only", "--consistency=s"); got != "before" {
		t.Errorf("serializable read: got %q, want before", got)
	}
	if got, err := try(t, old, "get", key, "--print-value-only"); err == nil {
		t.Errorf("linearizable read: got %q, want an error", got)
	}
	old.Join()
	value(t, old, "after")
}

func TestARestoredSnapshotHasTheOldValueAndTheSameIdentity(t *testing.T) {
	c := start(t, cluster.Options{})
	n := leader(t, c)
	ctl(t, n, "put", key, "before")
	file := filepath.Join(t.TempDir(), "snapshot")
	if err := c.Snapshot(file); err != nil {
		t.Fatal(err)
	}
	ctl(t, n, "put", key, "after")
	members := ctl(t, n, "member", "list")
	if err := c.Restore(file); err != nil {
		t.Fatal(err)
	}
	n = leader(t, c)
	value(t, n, "before")
	if got := ctl(t, n, "member", "list"); got != members {
		t.Errorf("members after the restore: got %q, want %q", got, members)
	}
}

func TestADatabaseThatIsFullTakesNoMoreValues(t *testing.T) {
	n := leader(t, start(t, cluster.Options{Quota: 1 << 20}))
	large := strings.Repeat("x", 100<<10)
	err := poll.Until("the quota", time.Minute, func() error {
		if _, err := n.UserCtl(t.Context(), "put", key, large); err == nil {
			return os.ErrExist
		} else if !strings.Contains(err.Error(), "database space exceeded") {
			t.Fatal(err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := n.UserCtl(t.Context(), "get", key); err != nil {
		t.Error("reading from a full database:", err)
	}
}
