package fleet

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"latchkey/enroll/fleet/reach"
	"os"
	"slices"
	"strings"
	"time"

	"latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/health"
	"latchkey/pam/fleet/remote"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
	"latchkey/pam/unprivileged"
)

// Examination looks at a host's part in its fleet. It changes nothing.
type Examination struct {
	Root  string
	Clock func() time.Time
	// Left is how many break-glass codes a user has left on this host.
	Left func(name string) (int, error)
}

// Status is what was found; its JSON is an interface.
type Status struct {
	Host       string    `json:"host"`
	Roles      []string  `json:"roles"` // empty: no service could tell
	Epoch      uint64    `json:"epoch"` // 0: likewise
	Services   []Service `json:"services"`
	BreakGlass string    `json:"break_glass"` // what it would do now
	Checks     []Check   `json:"checks"`
}

// Service is one of the fleet's.
type Service struct {
	URL    string         `json:"url"`
	Fault  wire.Fault     `json:"fault"`            // empty: it answers
	Text   string         `json:"text,omitempty"`   // of the fault
	Health *health.Health `json:"health,omitempty"` // if it answers
	// Ahead is by how much this host's clock is fast, as far as the answer's way lets tell.
	Ahead time.Duration `json:"ahead_ns"`
}

// Bounds of what is still sound.
const (
	clockWarns = 5 * time.Second // the service refuses questions from 30 s on
	peersWarn  = 2 * time.Second // a service stops at 5 s
	quotaWarns = 0.6             // of etcd's quota
	quotaFails = 0.9
)

// Run looks at everything.
func (e Examination) Run() Status {
	s, err := settings.Load(e.Root)
	if err != nil {
		return Status{Roles: []string{}, Services: []Service{}, BreakGlass: broken,
			Checks: []Check{{settings.Path, Error, err.Error(), "every login is denied until it " +
				"is put right; the fleet's administrator can make a new ticket"}}}
	}
	out := Status{Host: s.Host, Roles: []string{}}
	out.note(settings.Path+" and the host's key", OK, "", "")
	e.helper(&out)
	e.authorities(&out, s)
	for _, url := range s.Services {
		service := e.ask(s, url)
		out.Services = append(out.Services, service)
		if service.Health != nil {
			out.Roles, out.Epoch = service.Health.Roles, max(out.Epoch, service.Health.Epoch)
		}
	}
	for _, service := range out.Services {
		e.judge(&out, s, service)
	}
	out.roles()
	e.breakGlass(&out, s)
	return out
}

const broken = "nothing: without settings that can be read every login is denied"

func (s *Status) note(check string, level Level, detail, hint string) {
	s.Checks = append(s.Checks, Check{check, level, detail, hint})
}

// helper looks at the program that reaches the services.
func (e Examination) helper(out *Status) {
	const again = "install the package latchkey again"
	info, err := os.Stat(e.Root + dispatch.Program)
	_, _, found := unprivileged.Account(e.Root)
	switch {
	case err != nil:
		out.note(dispatch.Program, Error, err.Error(), again)
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o111 != 0o111:
		out.note(dispatch.Program, Error, "its user cannot run it: mode "+
			info.Mode().Perm().String(), again)
	case !found:
		out.note(dispatch.Program, Warning,
			"it runs as nobody: there is no user "+unprivileged.Name, again)
	default:
		out.note(dispatch.Program, OK, "", "")
	}
}

// authorities looks at the certificates that the services' are checked with.
func (e Examination) authorities(out *Status, s *settings.Settings) {
	const next = "put the new authority's certificate into ca_file beside the old one"
	for rest := []byte(s.CA); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			out.note(s.CAFile, Error, err.Error(), next)
			continue
		}
		out.Checks = append(out.Checks,
			ends("in "+s.CAFile, c.NotAfter, e.Clock(), next))
	}
}

// ask asks one service, as a login would ask it.
func (e Examination) ask(s *settings.Settings, url string) Service {
	one := *s
	one.Services = []string{url}
	d := &dispatch.Dispatcher{Root: e.Root, Clock: e.Clock, Watched: -1, Unlimited: true}
	client := remote.New(e.Root, &one, d)
	client.Service = reach.Service
	out, h := Service{URL: url}, health.Health{}
	began := e.Clock()
	if err := client.Ask(health.Op, record.User{}, struct{}{}, &h); err != nil {
		out.Fault, out.Text = wire.FaultOf(err), err.Error()
		return out
	}
	middle := began.Add(e.Clock().Sub(began) / 2)
	out.Health, out.Ahead = &h, middle.Sub(h.At)
	return out
}

// judge says what is wrong with a service, or soon will be.
func (e Examination) judge(out *Status, s *settings.Settings, is Service) {
	if is.Health == nil {
		e.judgeFault(out, is)
		return
	}
	h := is.Health
	out.note(is.URL, OK, "it answers as "+h.Service, "")
	if is.Ahead.Abs() >= clockWarns {
		out.note("this machine's clock", Warning, fmt.Sprintf("%s off that of %s; from 30 s on "+
			"every login is denied", is.Ahead.Round(time.Second).Abs(), h.Service),
			"timedatectl set-ntp true, here and there")
	}
	if h.Peers && h.Offset.Abs() >= peersWarn {
		out.note("the clock of "+h.Service, Warning, fmt.Sprintf("%s off those of the other "+
			"services; from 5 s on it answers nothing", h.Offset.Round(time.Second).Abs()),
			"on its machine: timedatectl set-ntp true")
	}
	if h.Epoch < out.Epoch {
		out.note(is.URL, Warning, fmt.Sprintf("it is in epoch %d, another in %d", h.Epoch,
			out.Epoch), "look again in a few seconds; then: latchkey-fleetd status")
	}
	for _, c := range h.Certificates {
		out.Checks = append(out.Checks,
			ends(c.Of, c.Until, e.Clock(), "renew it; the service takes it without a restart"))
	}
	out.quota(h)
	out.keys(s, h)
}

// judgeFault says what a service that does not answer means.
func (e Examination) judgeFault(out *Status, is Service) {
	level, next := Error, "on its machine: latchkey-fleetd status"
	others := slices.ContainsFunc(out.Services, func(s Service) bool { return s.Health != nil })
	if others {
		level = Warning // logins go on with the others
	}
	if known, ok := advice[is.Fault]; ok && is.Fault != wire.Unreachable {
		next = known.next
	}
	switch is.Fault {
	case wire.Clock: // advice is to come here
		next = "timedatectl set-ntp true, here and on its machine"
	case wire.Unreachable:
		next = "is it running, and does a firewall let this host in?"
	}
	out.note(is.URL, level, is.Text, next)
}

func (s *Status) quota(h *health.Health) {
	if h.Full {
		s.note("etcd's database", Error, "it is full, and everyone is denied, as "+h.Service+
			" sees it", "compact and defragment etcd, or raise its quota; then: etcdctl alarm disarm")
		return
	}
	if h.Quota <= 0 || h.Bytes < 0 {
		return
	}
	part := float64(h.Bytes) / float64(h.Quota)
	detail := fmt.Sprintf("%.0f %% of its quota of %d MiB, as %s sees it", part*100, h.Quota>>20,
		h.Service)
	const next = "compact and defragment etcd, or raise its quota: full, it denies every login"
	switch {
	case part >= quotaFails:
		s.note("etcd's database", Error, detail, next)
	case part >= quotaWarns:
		s.note("etcd's database", Warning, detail, next)
	default:
		s.note("etcd's database", OK, detail, "")
	}
}

// keys finds a key that the fleet signs with, or soon will, and that this host does not believe;
// and one that the host believes and that the fleet has replaced, maybe because it was stolen.
func (s *Status) keys(known *settings.Settings, h *health.Health) {
	for _, k := range known.VerifyKey {
		if len(h.VerifyKey) > 0 && !slices.Contains(h.VerifyKey, k.String()) {
			s.note(settings.Path, Warning, "verify_key has a key that the fleet no longer signs with",
				"remove it: "+k.String())
		}
	}
	for _, text := range h.VerifyKey {
		has := func(k fleetkey.Public) bool { return k.String() == text }
		if !slices.ContainsFunc(known.VerifyKey, has) {
			s.note(settings.Path, Warning, "the fleet is about to sign with a key that is not in "+
				"verify_key", "add it: "+text)
		}
	}
}

func (s *Status) roles() {
	if s.Epoch == 0 {
		return // no service could tell
	}
	if slices.Contains(s.Roles, "verify") {
		s.note("roles of "+s.Host, OK, strings.Join(s.Roles, ", "), "")
		return
	}
	s.note("roles of "+s.Host, Error, "it does not have the role verify, so no code is checked",
		"on a service: latchkey-fleetd host role "+s.Host+" "+
			strings.Join(append([]string{"verify"}, s.Roles...), ","))
}

// breakGlass says what would happen now if no service could be reached.
func (e Examination) breakGlass(out *Status, s *settings.Settings) {
	const check = "break-glass"
	if s.Unreachable != settings.BreakGlass {
		out.BreakGlass = "nothing: while no service can be reached, every code is refused"
		out.note(check, OK, out.BreakGlass, "")
		return
	}
	var ready []string
	for _, name := range s.BreakGlass {
		left, err := e.Left(name)
		switch {
		case err != nil:
			out.note(check, Error, name+": "+err.Error(), "make new codes: enroll fleet "+
				"break-glass "+name)
		case left == 0:
			out.note(check, Warning, name+" has no code left on this host",
				"make new ones: enroll fleet break-glass "+name)
		default:
			ready = append(ready, fmt.Sprintf("%s (%d codes)", name, left))
		}
	}
	out.BreakGlass = "let in by a code of this host: " + strings.Join(ready, ", ")
	if len(ready) == 0 {
		out.BreakGlass = "nothing: no one whom fleet.toml names has a code of this host"
	}
	reached := func(s Service) bool { return s.Fault != wire.Unreachable }
	if !slices.ContainsFunc(out.Services, reached) {
		out.note(check, Warning, "no service can be reached now, so it is open: "+
			out.BreakGlass, "")
		return
	}
	out.note(check, OK, out.BreakGlass, "")
}

// Write writes the status for people.
func (s Status) Write(w io.Writer) {
	if s.Host != "" {
		fmt.Fprintf(w, "host %s, roles: %s, epoch %d\n", s.Host, orNone(s.Roles), s.Epoch)
	}
	for _, c := range s.Checks {
		line := fmt.Sprintf("%s: %s", c.Status, c.Check)
		if c.Detail != "" {
			line += ": " + c.Detail
		}
		if c.Hint != "" {
			line += "\nhint: " + c.Hint
		}
		fmt.Fprintln(w, line)
	}
}

func orNone(words []string) string {
	if len(words) == 0 {
		return "not known"
	}
	return strings.Join(words, ", ")
}

// Bad counts the checks that failed.
func (s Status) Bad() (n int) {
	for _, c := range s.Checks {
		if c.Status == Error {
			n++
		}
	}
	return n
}
