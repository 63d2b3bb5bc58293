// Package cluster runs a real etcd of three nodes on loopback, with mutual TLS and a user whose
// rights end at latchkey's keys. Its nodes can be killed, stopped, cut off from each other, and
// set back to a snapshot. It needs no privileges.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"latchkey/sshd/fleet/certs"
	"latchkey/sshd/poll"
)

// User is latchkey's user in etcd, which its certificate names, and Prefix what the user may read
// and write.
const (
	User   = "latchkey-fleetd"
	Prefix = "/latchkey/1/"
)

// Options is a cluster to be started; the zero value is three nodes of this machine's etcd.
type Options struct {
	Nodes int
	Quota int64 // bytes; 0 is etcd's own, 2 GiB
	// Elsewhere, if set, says where the nodes run, one for each node.
	Elsewhere []Place
	// Sync has writes reach the disk where the version of etcd could do without. A process that
	// is killed loses nothing either way.
	Sync bool
	// Direct has the nodes reach each other without links: for measurements, because links take
	// part of the processors' time. No node can be cut off then.
	Direct bool
}

// Place is another root folder in which a node runs, such as a container's.
type Place struct {
	Enter []string // the command that runs another one inside
	Path  string   // a folder inside
	Seen  string   // the same folder, as this process sees it
}

// Cluster is a running etcd.
type Cluster struct {
	Nodes     []*Node
	Authority *certs.Authority
	// Version is that of the etcd, as it names itself.
	Version string
	// CA, Cert and Key are the files with which latchkey's user connects; RootCert and RootKey
	// are the administrator's.
	CA, Cert, Key, RootCert, RootKey string

	options Options
	dir     string
	token   string
	links   []*link
}

// Start runs a cluster whose files are below dir, which must be empty, and waits until it has a
// leader and asks for a certificate at each request. The caller closes it.
func Start(dir string, o Options) (_ *Cluster, err error) {
	if o.Nodes == 0 {
		o.Nodes = max(3, len(o.Elsewhere))
	}
	c := &Cluster{options: o, dir: dir, token: fmt.Sprintf("latchkey-%08x", rand.Uint32())}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if err = c.certify(); err != nil {
		return nil, err
	}
	if err = c.prepare(); err != nil {
		return nil, err
	}
	for _, n := range c.Nodes {
		if err = n.Start(); err != nil {
			return nil, err
		}
	}
	if _, err = c.Leader(); err != nil {
		return nil, err
	}
	return c, c.protect()
}

// certify makes the authority and the two users' certificates.
func (c *Cluster) certify() (err error) {
	if c.Authority, err = certs.New("latchkey test etcd"); err != nil {
		return err
	}
	c.CA = filepath.Join(c.dir, "ca.crt")
	if err := os.WriteFile(c.CA, c.Authority.PEM, 0o644); err != nil {
		return err
	}
	for name, cert := range map[string]*string{User: &c.Cert, "root": &c.RootCert} {
		if err := c.Authority.Save(c.dir, name, certs.Wanted{Name: name}); err != nil {
			return err
		}
		*cert = filepath.Join(c.dir, name+".crt")
	}
	c.Key = strings.TrimSuffix(c.Cert, ".crt") + ".key"
	c.RootKey = strings.TrimSuffix(c.RootCert, ".crt") + ".key"
	return nil
}

// prepare chooses addresses, which no other cluster on this machine has, and opens the links
// between the nodes.
func (c *Cluster) prepare() error {
	net := fmt.Sprintf("127.%d.%d.", 1+rand.IntN(254), rand.IntN(256))
	port := 20000 + rand.IntN(10000) // below the ports that the system gives to clients
	for i := range c.options.Nodes {
		n := &Node{Name: fmt.Sprintf("e%d", i+1), cluster: c, port: port,
			address: fmt.Sprintf("%s%d", net, 1+i), inner: fmt.Sprintf("%s%d", net, 101+i)}
		if err := n.prepare(i); err != nil {
			return err
		}
		c.Nodes = append(c.Nodes, n)
	}
	if err := c.connect(); err != nil {
		return err
	}
	var err error
	c.Version, err = c.Nodes[0].version()
	return err
}

// connect opens the links: once all nodes are known, at which a link looks.
func (c *Cluster) connect() error {
	for _, n := range c.Nodes {
		if c.options.Direct {
			n.inner = n.address
			continue
		}
		l, err := c.listen(n)
		if err != nil {
			return err
		}
		c.links = append(c.links, l)
	}
	return nil
}

// members are all nodes as etcd's --initial-cluster wants them.
func (c *Cluster) members() string {
	var all []string
	for _, n := range c.Nodes {
		all = append(all, n.Name+"="+n.peer())
	}
	return strings.Join(all, ",")
}

// Endpoints are the URLs for clients.
func (c *Cluster) Endpoints() []string {
	urls := make([]string, len(c.Nodes))
	for i, n := range c.Nodes {
		urls[i] = n.Endpoint()
	}
	return urls
}

// Leader waits for a leader that every running node which is not cut off agrees on, and gives it.
func (c *Cluster) Leader() (*Node, error) {
	var leader *Node
	err := poll.Until("a leader of etcd", time.Minute, func() error {
		leader = nil
		for _, n := range c.Nodes {
			if !n.running() || n.Isolated() {
				continue
			}
			leads, err := n.leads()
			if err != nil {
				return err
			}
			if leads && leader != nil {
				return fmt.Errorf("%s and %s both lead", leader.Name, n.Name)
			}
			if leads {
				leader = n
			}
		}
		if leader == nil {
			return errors.New("no node leads")
		}
		return leader.healthy()
	})
	return leader, err
}

// Other is a node other than this one.
func (c *Cluster) Other(than *Node) *Node {
	if c.Nodes[0] != than {
		return c.Nodes[0]
	}
	return c.Nodes[1]
}

// Close kills the nodes and closes the links. The files stay.
func (c *Cluster) Close() error {
	var errs []error
	for _, n := range c.Nodes {
		if n.running() {
			errs = append(errs, n.Kill())
		}
	}
	for _, l := range c.links {
		l.close()
	}
	return errors.Join(errs...)
}

// Logs writes what the nodes have printed, for a test that failed.
func (c *Cluster) Logs(w io.Writer) {
	for _, n := range c.Nodes {
		text, _ := os.ReadFile(n.log())
		fmt.Fprintf(w, "--- etcd %s\n%s", n.Name, text)
	}
}

// protect makes the users and their rights, and turns authentication on.
func (c *Cluster) protect() error {
	for _, args := range [][]string{
		{"user", "add", "root", "--no-password"},
		{"user", "grant-role", "root", "root"},
		{"user", "add", User, "--no-password"},
		{"role", "add", User},
		{"role", "grant-permission", User, "readwrite", Prefix, "--prefix=true"},
		{"user", "grant-role", User, User},
		{"auth", "enable"},
	} {
		if _, err := c.Ctl(context.Background(), args...); err != nil {
			return err
		}
	}
	return nil
}
