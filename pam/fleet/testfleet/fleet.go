// Package testfleet makes fleets for tests: a real etcd, services in this process, hosts that ask
// them over the real wire. Only tests import it.
package testfleet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/admin"
	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/service"
	"latchkey/pam/fleet/service/admission"
	"latchkey/pam/fleet/store"
	"latchkey/pam/limit"
	"latchkey/pam/testroot"
	"latchkey/sshd/fleet/certs"
	"latchkey/sshd/fleet/cluster"
	"latchkey/sshd/poll"
)

// Fleet is a fleet with an etcd of its own.
type Fleet struct {
	Etcd      *cluster.Cluster
	Secret    secret.Secret
	Authority *certs.Authority
	Admin     admin.Admin
	Services  []*service.Service

	Clock    func() time.Time             // of services that are started from now on
	Limits   hosts.Limits                 // likewise
	Verifier func() authority.Verifier    // likewise
	Change   func(config *service.Config) // likewise; nil: nothing
	Logs     io.Writer

	watch Watch
	once  sync.Once
	keys  []fleetkey.Public
}

// New makes an empty fleet with a policy, over an etcd of one node, which has no one to lose its
// leader to on a busy machine.
func New(t testing.TB, policy string) *Fleet {
	t.Helper()
	return overNew(t, cluster.Options{Nodes: 1}, policy, Watch{})
}

// OfThree makes an empty fleet over an etcd of three nodes, which a test can take away. Its clock
// is a Watch.
func OfThree(t testing.TB) *Fleet {
	t.Helper()
	return overNew(t, cluster.Options{}, "", newWatch())
}

func overNew(t testing.TB, o cluster.Options, policy string, w Watch) *Fleet {
	t.Helper()
	c, err := cluster.Start(t.TempDir(), o)
	testroot.Must(t, err)
	t.Cleanup(func() { c.Close() })
	return over(t, c, policy, w)
}

// Over makes a fleet over an etcd that is empty.
func Over(t testing.TB, c *cluster.Cluster, policy string) *Fleet {
	t.Helper()
	return over(t, c, policy, Watch{})
}

func over(t testing.TB, c *cluster.Cluster, policy string, w Watch) *Fleet {
	t.Helper()
	f := &Fleet{Etcd: c, Secret: secret.New(), Clock: w.Now, Logs: t.Output(), Limits: generous,
		Verifier: func() authority.Verifier { return NoPhones{} }, watch: w,
	}
	var err error
	f.Authority, err = certs.New("fleet")
	testroot.Must(t, err)
	f.Admin = admin.Admin{Store: f.Store(t), By: "test"}
	testroot.Must(t, f.Admin.Init(Context(t), "latchkey.toml", []byte(policy)))
	return f
}

// patience is for slow machines; what asks a service waits longer.
const patience = 30 * time.Second

// generous limits are reached by no test that does not mean to.
var generous = hosts.Limits{Failures: limit.Rate{Count: 1000, Window: 10 * time.Minute},
	Users: 1000, Lasts: time.Hour}

// Context ends before a test does.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// StoreConfig is that of a store of this fleet.
func (f *Fleet) StoreConfig(t testing.TB) store.Config {
	t.Helper()
	etcd, err := etcdTLS(f.Etcd.CA, f.Etcd.Cert, f.Etcd.Key)
	testroot.Must(t, err)
	return store.Config{Endpoints: f.Etcd.Endpoints(), Secret: f.Secret, TLS: etcd,
		Clock: func() time.Time { return f.Clock() }}
}

func etcdTLS(ca, cert, key string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(ca)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: roots}, err
}

// Store opens the fleet's accounts.
func (f *Fleet) Store(t testing.TB) *store.Store {
	t.Helper()
	st, err := store.Open(f.StoreConfig(t))
	testroot.Must(t, err)
	t.Cleanup(st.Close)
	return st
}

// Start starts n more services, and waits until they answer.
func (f *Fleet) Start(t testing.TB, n int) {
	t.Helper()
	for range n {
		name := fmt.Sprintf("mfa%d", len(f.Services)+1)
		f.Services = append(f.Services, f.Restart(t, name, t.TempDir()))
	}
	for _, s := range f.Services[len(f.Services)-n:] {
		Answers(t, s)
	}
}

// Answers waits until a service answers questions, and does not only say why it does not.
func Answers(t testing.TB, s *service.Service) {
	t.Helper()
	testroot.Must(t, poll.Until(s.Name+" to answer", time.Minute, func() error {
		return s.Refused()
	}))
}

// Restart starts a service that has a folder already.
func (f *Fleet) Restart(t testing.TB, name, dir string) *service.Service {
	t.Helper()
	s, err := service.Start(f.Config(t, name, dir))
	testroot.Must(t, err)
	t.Cleanup(s.Stop)
	return s
}

// Config is that of a service of this fleet.
func (f *Fleet) Config(t testing.TB, name, dir string) service.Config {
	t.Helper()
	testroot.Must(t, os.Chmod(dir, 0o700))
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	testroot.Must(t, err)
	issued, err := f.Authority.Issue(certs.Wanted{Name: name, Hosts: []string{"127.0.0.1"}})
	testroot.Must(t, err)
	pair, err := tls.X509KeyPair(issued.Certificate, issued.Key)
	testroot.Must(t, err)
	clock := f.Clock
	c := service.Config{
		Name: name, Store: f.StoreConfig(t), Listen: listen, Dir: dir, HostLimits: f.Limits,
		Verifier: f.Verifier, Quota: 8 << 30, Patience: patience, GivenUp: time.Minute,
		Limits:      admission.Default,
		Certificate: func() (*tls.Certificate, error) { return &pair, nil },
		Log:         slog.New(slog.NewTextHandler(f.Logs, nil)),
	}
	c.Store.Clock, c.Limits.Wait = clock, time.Minute // no test is to be refused for being many
	if f.Change != nil {
		f.Change(&c)
	}
	return c
}
