package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Snapshot saves what the leader has into a file, as an administrator's backup does.
func (c *Cluster) Snapshot(file string) error {
	leader, err := c.Leader()
	if err != nil {
		return err
	}
	_, err = leader.Ctl(context.Background(), "snapshot", "save", file)
	return err
}

// Restore kills all nodes and starts them from a snapshot, as the same cluster.
func (c *Cluster) Restore(file string) error {
	for _, n := range c.Nodes {
		if n.running() {
			if err := n.Kill(); err != nil {
				return err
			}
		}
		data := filepath.Join(n.place.Seen, "data")
		if err := os.RemoveAll(data); err != nil {
			return err
		}
		_, err := ctl(context.Background(), []string{
			"snapshot", "restore", file, "--name", n.Name,
			"--initial-cluster", c.members(), "--initial-cluster-token", c.token,
			"--initial-advertise-peer-urls", n.peer(), "--data-dir", data,
		})
		if err != nil {
			return err
		}
	}
	var errs []error
	for _, n := range c.Nodes {
		errs = append(errs, n.Start())
	}
	_, err := c.Leader()
	return errors.Join(append(errs, err)...)
}

// Compact drops what is no longer current, gives the room back, and ends the alarm of a database
// that was full.
func (c *Cluster) Compact() error {
	ctx := context.Background()
	out, err := c.Nodes[0].Ctl(ctx, "get", "x", "--write-out", "json")
	if err != nil {
		return err
	}
	var answer struct{ Header struct{ Revision int64 } }
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		return err
	}
	if _, err := c.Ctl(ctx, "compact", fmt.Sprint(answer.Header.Revision)); err != nil {
		return err
	}
	for _, n := range c.Nodes {
		if _, err := n.Ctl(ctx, "defrag"); err != nil {
			return err
		}
	}
	_, err = c.Ctl(ctx, "alarm", "disarm")
	return err
}
