// Package service answers the questions of a fleet's hosts: it alone opens records, compares codes
// and writes to etcd.
package service

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/node"
	"latchkey/pam/fleet/service/admission"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
)

// Config is what a service needs.
type Config struct {
	Name   string // of this service in the fleet
	Store  store.Config
	Listen net.Listener // TCP; the service closes it
	// Certificate is asked for each connection, so that a renewed one counts at once.
	Certificate func() (*tls.Certificate, error)
	Dir         string // where the service's own number and the signing keys are

	SameUIDs    bool     // a user has the same uid on all hosts, and records are bound to it
	EnrollHosts []string // that may enroll, beside those with the role: names, or @groups
	HostLimits  hosts.Limits
	Quota       int64 // bytes that etcd may have; for metrics and the alarm

	// Patience bounds one transaction with all its tries; 0: 5 seconds.
	Patience time.Duration
	// GivenUp is how long hosts wait for an answer. After that they may have asked for something
	// else, so what is not done by then is not done at all. 0: wire.AnswerTime.
	GivenUp time.Duration

	Limits   admission.Limits          // zero: admission.Default
	Verifier func() authority.Verifier // reaches Twilio, for one question
	Log      *slog.Logger
}

// Service is a running service.
type Service struct {
	Config
	store   *store.Store
	node    *node.Node
	opening fleetkey.Opening
	ops     map[string]Op
	server  *http.Server
	metrics metrics
	accept  *admission.Listener
	slots   *admission.Slots
	stop    context.CancelFunc
	done    sync.WaitGroup
}

const (
	patience   = 5 * time.Second
	finishTime = 10 * time.Second
)

// Start starts a service. It answers until Stop; while it cannot reach etcd its answers say so.
func Start(c Config) (*Service, error) {
	c.Patience, c.GivenUp = cmp.Or(c.Patience, patience), cmp.Or(c.GivenUp, wire.AnswerTime)
	if c.Limits == (admission.Limits{}) {
		c.Limits = admission.Default
	}
	st, err := store.Open(c.Store)
	if err != nil {
		return nil, err
	}
	s := &Service{Config: c, store: st, ops: operations(), slots: admission.NewSlots(c.Limits)}
	if s.opening, err = c.Store.Secret.Opening(); err == nil {
		s.node, err = node.Open(node.Config{Name: c.Name, Dir: c.Dir, Store: st,
			Secret: c.Store.Secret, Log: c.Log})
	}
	if err != nil {
		st.Close()
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.stop = cancel
	s.node.Renew(ctx)
	s.done.Go(func() { s.node.Run(ctx) })
	s.done.Go(func() { s.watchSize(ctx) })
	s.serve()
	return s, nil
}

// serve accepts connections.
func (s *Service) serve() {
	s.accept = admission.Listen(s.Listen, s.Limits, func(err error) {
		s.Log.Error("a connection was not accepted", "error", err)
	})
	// HTTP/2, which no host speaks, would let a connection stay that asks nothing.
	one := &http.Protocols{}
	one.SetHTTP1(true)
	s.server = &http.Server{
		Protocols: one, Handler: s.handler(), ConnState: s.accept.Follow, ConnContext: admission.Note,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
		WriteTimeout: 40 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 8 << 10,
		TLSConfig: &tls.Config{
			MinVersion: tls.VersionTLS13, SessionTicketsDisabled: true, // no host resumes one
			GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
				return s.Certificate()
			},
		},
	}
	s.done.Go(func() {
		err := s.server.ServeTLS(s.accept, "", "")
		if !errors.Is(err, http.ErrServerClosed) {
			s.Log.Error("no longer serving", "error", err)
		}
	})
}

// Addr is the address that it listens on.
func (s *Service) Addr() string { return s.Listen.Addr().String() }

// Stop ends the service: no new connection is accepted, questions under way are finished, for a
// bounded time.
func (s *Service) Stop() {
	ctx, cancel := context.WithTimeout(context.Background(), finishTime)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		s.server.Close()
	}
	s.stop()
	s.done.Wait()
	s.store.Close()
}
