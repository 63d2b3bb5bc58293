// Package fleet starts whole fleets for tests and demonstrations: a real etcd, services and hosts
// with real OpenSSH servers, each in a container of its own, all on loopback.
package fleet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"latchkey/pam/fleet/store"
	"latchkey/sshd/fleet/certs"
	"latchkey/sshd/fleet/cluster"
	"latchkey/sshd/suite"
)

// Options is a fleet to be started. The zero value is three nodes of etcd, two services and two
// hosts, all of Debian 12, whose etcd is this machine's.
type Options struct {
	Services, Hosts int
	Distribution    *suite.Distribution
	Etcd            cluster.Options
	// EtcdInside runs the distribution's own etcd, in a container.
	EtcdInside bool
	Service    string // more lines of fleetd.toml
	Policy     string // the services' latchkey.toml; empty: none
	Roles      string // of hosts, as `host invite --role` takes them; empty: all
}

// Fleet is a running fleet.
type Fleet struct {
	Etcd     *cluster.Cluster
	CA       *certs.Authority // of the services' certificates
	Services []*Service
	Hosts    []*Host

	suite   *suite.Suite
	options Options
	dir     string
	net     string // of the services' addresses, such as "127.9.9."

	// containers that were started: for etcd, for services, and for hosts that have not joined yet
	places, machines, spare []*suite.Host

	accounts *store.Store
}

// Start starts a fleet with its files below dir, which must be empty. The caller closes it.
func Start(s *suite.Suite, dir string, o Options) (_ *Fleet, err error) {
	f := &Fleet{suite: s, options: o.whole(), dir: dir,
		net: fmt.Sprintf("127.%d.%d.", 1+rand.IntN(254), rand.IntN(256))}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	if f.CA, err = certs.New("latchkey test fleet"); err != nil {
		return nil, err
	}
	if err = f.launch(); err != nil {
		return nil, err
	}
	if err = f.startEtcd(); err != nil {
		return nil, err
	}
	for range f.options.Services {
		if err = f.addService(); err != nil {
			return nil, err
		}
	}
	for range f.options.Hosts {
		if err = f.addHost(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (o Options) whole() Options {
	if o.Services == 0 {
		o.Services = 2
	}
	if o.Hosts == 0 {
		o.Hosts = 2
	}
	if o.Distribution == nil {
		o.Distribution = suite.Debian12
	}
	if o.Roles == "" {
		o.Roles = "verify,enroll,admin"
	}
	return o
}

// launch starts all containers at the same time.
func (f *Fleet) launch() error {
	d := f.options.Distribution
	if f.options.EtcdInside {
		f.places = make([]*suite.Host, 3)
	}
	f.machines = make([]*suite.Host, f.options.Services)
	f.spare = make([]*suite.Host, f.options.Hosts)
	starts := map[*[]*suite.Host]func() (*suite.Host, error){
		&f.places:   func() (*suite.Host, error) { return f.suite.Bare(d, "etcd-server") },
		&f.machines: func() (*suite.Host, error) { return f.suite.Fleetd(d) },
		&f.spare:    func() (*suite.Host, error) { return f.suite.Private(d) },
	}
	var all sync.WaitGroup
	errs := make(chan error, len(f.places)+len(f.machines)+len(f.spare))
	for hosts, start := range starts {
		for i := range *hosts {
			all.Go(func() {
				h, err := start()
				(*hosts)[i] = h
				errs <- err
			})
		}
	}
	all.Wait()
	close(errs)
	var joined error
	for err := range errs {
		joined = errors.Join(joined, err)
	}
	return joined
}

// startEtcd starts etcd here, or inside a container for each node.
func (f *Fleet) startEtcd() (err error) {
	dir := filepath.Join(f.dir, "etcd")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, h := range f.places {
		f.options.Etcd.Elsewhere = append(f.options.Etcd.Elsewhere, Place(h))
	}
	f.Etcd, err = cluster.Start(dir, f.options.Etcd)
	return err
}

// Place is where a node of etcd runs inside a container that has Debian's etcd-server.
func Place(h *suite.Host) cluster.Place {
	return cluster.Place{
		Enter: []string{"nsenter", "--mount", "--target", fmt.Sprint(h.Pid), "--"},
		Path:  "/srv/etcd", Seen: h.Path("/srv/etcd"),
	}
}

// Close ends everything. The files stay.
func (f *Fleet) Close() error {
	var errs []error
	if f.accounts != nil {
		f.accounts.Close()
	}
	if f.Etcd != nil {
		errs = append(errs, f.Etcd.Close())
	}
	all := slices.Concat(f.places, f.machines, f.spare)
	for _, h := range f.Hosts {
		all = append(all, h.Host)
	}
	end := func(h *suite.Host) error { return h.Close() }
	return errors.Join(append(errs, forEach(all, end))...)
}

// forEach does the same to several containers at the same time.
func forEach(all []*suite.Host, do func(*suite.Host) error) error {
	errs := make([]error, len(all))
	var done sync.WaitGroup
	for i, h := range all {
		if h != nil {
			done.Go(func() { errs[i] = do(h) })
		}
	}
	done.Wait()
	return errors.Join(errs...)
}
