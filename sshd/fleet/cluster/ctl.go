package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Ctl runs etcdctl as etcd's root, and gives its output.
func (c *Cluster) Ctl(ctx context.Context, args ...string) (string, error) {
	return ctl(ctx, c.as(c.RootCert, c.RootKey, c.Endpoints(), args))
}

// Ctl runs etcdctl as etcd's root at this node alone.
func (n *Node) Ctl(ctx context.Context, args ...string) (string, error) {
	c := n.cluster
	return ctl(ctx, c.as(c.RootCert, c.RootKey, []string{n.Endpoint()}, args))
}

// UserCtl runs etcdctl with the rights that latchkey has, at this node alone.
func (n *Node) UserCtl(ctx context.Context, args ...string) (string, error) {
	return ctl(ctx, n.cluster.as(n.cluster.Cert, n.cluster.Key, []string{n.Endpoint()}, args))
}

// as puts what says where to and as which user in front of the arguments.
func (c *Cluster) as(cert, key string, endpoints, args []string) []string {
	return append([]string{"--endpoints", strings.Join(endpoints, ","), "--cacert", c.CA,
		"--cert", cert, "--key", key}, args...)
}

// ctl runs this machine's etcdctl, also for nodes that are elsewhere.
func ctl(ctx context.Context, args []string) (string, error) {
	program, err := find("etcdctl")
	if err != nil {
		return "", err
	}
	patience := time.Minute // in place of etcdctl's 5 s, which a busy machine needs for itself
	if until, ok := ctx.Deadline(); ok {
		patience = time.Until(until)
	}
	args = append([]string{"--command-timeout", patience.String(), "--dial-timeout",
		patience.String()}, args...)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), "ETCDCTL_API=3")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("etcdctl %s: %w: %s", strings.Join(args, " "), err,
			bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.String(), nil
}

// find looks for a program of etcd where the system has it, and where packaging/deps.sh unpacks it.
func find(program string) (string, error) {
	if file, err := exec.LookPath(program); err == nil {
		return file, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	file := filepath.Join(cache, "latchkey/etcd/usr/bin", program)
	if _, err := os.Stat(file); err != nil {
		return "", errors.New(program + " is missing: run packaging/deps.sh tests")
	}
	return file, nil
}

// Reads gives a condition: the node reads that value, with the rights that latchkey has.
func (n *Node) Reads(key, want string) func() error {
	return func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		got, err := n.UserCtl(ctx, "get", key, "--print-value-only")
		if got = strings.TrimSuffix(got, "\n"); err == nil && got != want {
			err = fmt.Errorf("got %q, want %q", got, want)
		}
		return err
	}
}
