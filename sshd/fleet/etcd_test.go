package fleet_test

import (
	"strings"
	"testing"

	"latchkey/sshd/fleet"
	"latchkey/sshd/fleet/cluster"
	"latchkey/sshd/suite"
)

func TestEveryDistributionsEtcdRunsInContainers(t *testing.T) {
	t.Parallel()
	versions := map[*suite.Distribution]string{suite.Debian12: "3.4.", suite.Debian13: "3.5."}
	for _, d := range suite.Distributions {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			var o cluster.Options
			for range 3 {
				h, err := shared.Bare(d, "etcd-server")
				must(t, err)
				t.Cleanup(func() { h.Close() })
				o.Elsewhere = append(o.Elsewhere, fleet.Place(h))
			}
			c, err := cluster.Start(t.TempDir(), o)
			must(t, err)
			t.Cleanup(func() { c.Close() })
			t.Log("etcd", c.Version)
			if !strings.HasPrefix(c.Version, versions[d]) {
				t.Errorf("etcd of %s: got %s, want %s", d.Name, c.Version, versions[d])
			}
		})
	}
}
