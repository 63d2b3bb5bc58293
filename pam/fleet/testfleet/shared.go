package testfleet

import (
	"context"
	"os"
	"testing"
	"time"

	"latchkey/pam/testroot"
	"latchkey/sshd/fleet/cluster"
)

// shared is one etcd, of one node, for the tests of a package, which follow each other.
var shared *cluster.Cluster

// Main is a package's TestMain: it runs the tests and ends the etcd that they share.
func Main(m *testing.M) {
	runChild()
	status := m.Run()
	if shared != nil {
		shared.Close()
		os.RemoveAll(sharedDir)
	}
	os.Exit(status)
}

var sharedDir string

// Shared makes a fleet over an etcd that all tests of a package share; everything in it is removed
// first. Its clock is a Watch. The package's TestMain is Main.
func Shared(t testing.TB, policy string) *Fleet {
	t.Helper()
	if shared == nil {
		var err error
		sharedDir, err = os.MkdirTemp("", "latchkey-etcd")
		testroot.Must(t, err)
		shared, err = cluster.Start(sharedDir, cluster.Options{Nodes: 1})
		testroot.Must(t, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err := shared.Ctl(ctx, "del", "--prefix", cluster.Prefix)
	testroot.Must(t, err)
	return over(t, shared, policy, newWatch())
}
