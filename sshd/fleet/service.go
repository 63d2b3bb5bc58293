package fleet

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"latchkey/sshd/fleet/certs"
	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
)

// Service is a latchkey-fleetd in a container of its own.
type Service struct {
	*suite.Host
	*suite.Daemon
	Name  string
	IP    string
	fleet *Fleet
}

// Where a service has its files, and as whom it runs.
const (
	program = "/usr/sbin/latchkey-fleetd"
	account = "latchkey-fleetd"
	folder  = "/var/lib/latchkey-fleetd"
	port    = 7443
)

// addService sets up one more service and starts it. The first makes the fleet's secret, and gives
// it to the others.
func (f *Fleet) addService() error {
	n := len(f.Services) + 1
	s := &Service{Host: f.machines[n-1], Name: fmt.Sprintf("mfa%d", n), IP: fmt.Sprint(f.net, n), fleet: f}
	f.Services = append(f.Services, s)
	if _, err := s.Script(fmt.Sprintf("set -e\nuseradd --system --user-group --home-dir %s %s\n"+
		"chown %[2]s:%[2]s %[1]s\nchmod 700 %[1]s\nmkdir -p -m 755 /etc/latchkey\n",
		folder, account)); err != nil {
		return err
	}
	if err := s.Configure(certs.Wanted{}); err != nil {
		return err
	}
	if err := s.init(); err != nil {
		return err
	}
	return s.Start()
}

// Configure writes the service's files; the certificate that hosts see is as wanted, with the
// service's name and address.
func (s *Service) Configure(w certs.Wanted) error {
	w.Name, w.Hosts = s.Name, []string{s.IP}
	own, err := s.fleet.CA.Issue(w)
	if err != nil {
		return err
	}
	etcd := s.fleet.Etcd
	client, err := etcd.Authority.Issue(certs.Wanted{Name: account})
	if err != nil {
		return err
	}
	files := []file{
		{"/etc/latchkey/fleetd.toml", s.settings(), false},
		{"/etc/latchkey/etcd-ca.pem", string(etcd.Authority.PEM), false},
		{"/etc/latchkey/fleet-ca.pem", string(s.fleet.CA.PEM), false},
		{folder + "/tls.crt", string(own.Certificate), false},
		{folder + "/tls.key", string(own.Key), true},
		{folder + "/etcd.crt", string(client.Certificate), false},
		{folder + "/etcd.key", string(client.Key), true},
	}
	if s.fleet.options.Policy != "" {
		files = append(files, file{"/etc/latchkey/latchkey.toml", s.fleet.options.Policy, false})
	}
	for _, f := range files {
		if err := s.write(f); err != nil {
			return err
		}
	}
	return nil
}

// file is one of a service's files; a secret one belongs to its account.
type file struct {
	path, text string
	secret     bool
}

func (s *Service) write(f file) error {
	args := []string{"/usr/bin/install", "-m", "644", "/dev/stdin", f.path}
	if f.secret {
		args = []string{"/usr/bin/install", "-m", "600", "-o", account, "-g", account,
			"/dev/stdin", f.path}
	}
	_, err := s.Exec(f.text, args...)
	return err
}

// settings is the text of fleetd.toml.
func (s *Service) settings() string {
	var services []string
	for i := range s.fleet.options.Services {
		services = append(services, fmt.Sprintf("https://%s%d:%d", s.fleet.net, i+1, port))
	}
	return fmt.Sprintf(`name      = %q
listen    = "%s:%d"
services  = [%s]
ca_file   = "/etc/latchkey/fleet-ca.pem"
tls_cert  = "/var/lib/latchkey-fleetd/tls.crt"
tls_key   = "/var/lib/latchkey-fleetd/tls.key"
etcd      = [%s]
etcd_ca   = "/etc/latchkey/etcd-ca.pem"
etcd_cert = "/var/lib/latchkey-fleetd/etcd.crt"
etcd_key  = "/var/lib/latchkey-fleetd/etcd.key"
metrics   = "%s:%d"
`, s.Name, s.IP, port, quoted(services), quoted(s.fleet.Etcd.Endpoints()), s.IP, port+1) +
		s.fleet.options.Service
}

func quoted(texts []string) string {
	for i, text := range texts {
		texts[i] = fmt.Sprintf("%q", text)
	}
	return strings.Join(texts, ", ")
}

// init makes the fleet's secret, or takes it from the first service.
func (s *Service) init() error {
	first := s.fleet.Services[0]
	if s == first {
		_, err := s.Command("", "init")
		return err
	}
	secret, err := first.Command("", "export-secret")
	if err != nil {
		return err
	}
	if err := s.write(file{folder + "/given", secret, true}); err != nil {
		return err
	}
	if _, err = s.Command("", "init", "--from", folder+"/given"); err != nil {
		return err
	}
	_, err = s.Exec("", "/bin/rm", folder+"/given")
	return err
}

// Command runs a command of latchkey-fleetd as root, and gives its output.
func (s *Service) Command(stdin string, args ...string) (string, error) {
	return s.Exec(stdin, append([]string{program}, args...)...)
}

// Start runs the service, and waits until it answers.
func (s *Service) Start() error {
	var err error
	if s.Daemon, err = s.Host.Start("fleetd", account, program, "serve"); err != nil {
		return err
	}
	err = poll.Until(s.Name+" to answer", time.Minute, s.answers)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, s.Printed())
	}
	return nil
}

// answers reports whether the service completes a TLS handshake.
func (s *Service) answers() error {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.fleet.CA.PEM)
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 10 * time.Second}, "tcp", s.Addr(),
		&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13})
	if err == nil {
		err = conn.Close()
	}
	return err
}

// Ready waits until every service answers questions, and does not only say why it does not.
func (f *Fleet) Ready() error {
	for _, s := range f.Services {
		if err := poll.Until(s.Name+" to answer questions", time.Minute, s.ready); err != nil {
			return err
		}
	}
	return nil
}

// Renewed waits until every service has renewed its number.
func (f *Fleet) Renewed() error {
	accounts, err := f.Accounts()
	if err != nil {
		return err
	}
	began := time.Now()
	return poll.Until("renewals", time.Minute, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		status, err := accounts.Status(ctx)
		for _, s := range status.Services {
			if !s.At.After(began) {
				err = errors.Join(err, fmt.Errorf("%s has not", s.Name))
			}
		}
		return err
	})
}

// Refusing waits until every service says why it does not answer.
func (f *Fleet) Refusing() error {
	for _, s := range f.Services {
		err := poll.Until(s.Name+" to refuse", time.Minute, func() error {
			if s.ready() == nil {
				return errors.New("it answers questions")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) ready() error {
	answer, err := http.Get(fmt.Sprintf("http://%s:%d/metrics", s.IP, port+1))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && !strings.Contains(string(text), "\nlatchkey_fleetd_answering 1\n") {
		err = errors.New("it does not")
	}
	return err
}

// Addr is where the service listens.
func (s *Service) Addr() string { return fmt.Sprintf("%s:%d", s.IP, port) }

// URL is how hosts name the service.
func (s *Service) URL() string { return "https://" + s.Addr() }
