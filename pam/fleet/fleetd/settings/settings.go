// Package settings reads /etc/latchkey/fleetd.toml, which makes a machine a service of a fleet.
//
//	name         = "mfa1"                          # of this service; each has its own
//	listen       = ":7443"
//	services     = ["https://mfa1:7443"]           # all of them, for the tickets of hosts
//	ca_file      = "/etc/latchkey/fleet-ca.pem"    # who vouches for them, for tickets
//	tls_cert     = "/var/lib/latchkey-fleetd/tls.crt"
//	tls_key      = "/var/lib/latchkey-fleetd/tls.key"
//	etcd         = ["https://e1:2379"]             # every node
//	etcd_ca      = "/etc/latchkey/etcd-ca.pem"
//	etcd_cert    = "/var/lib/latchkey-fleetd/etcd.crt"
//	etcd_key     = "/var/lib/latchkey-fleetd/etcd.key"
//	etcd_quota   = 8                               # GiB that etcd may use
//	enroll_hosts = ["@bastion"]                    # hosts or @groups where users may enroll
//	host_limit   = "30/10m"                        # wrong codes from a host, or …
//	host_users   = 10                              # … users with wrong codes in that time
//	quarantine   = "1h"                            # how long a host that reached either is out
//	uids         = "any"                           # same: users have one uid on all hosts
//	metrics      = "127.0.0.1:7444"                # optional: numbers for Prometheus
package settings

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"time"

	"latchkey/pam/fleet/hosts"
	"latchkey/pam/limit"
	"latchkey/pam/safefile"
)

// Path is where the settings are.
const Path = "/etc/latchkey/fleetd.toml"

// Settings are those of a service.
type Settings struct {
	Root string // prefix of every path; "" but in tests

	Name, Listen, Metrics string
	Services              []string
	CAFile                string
	TLSCert, TLSKey       string
	Etcd                  []string
	EtcdCA                string // empty: etcd is reached without TLS
	EtcdCert, EtcdKey     string
	Quota                 int // GiB
	EnrollHosts           []string
	Limits                hosts.Limits
	SameUIDs              bool
}

const maxFile = 16 << 10

// Load reads the settings below root.
func Load(root string) (*Settings, error) {
	text, err := safefile.ReadFile(root+Path, safefile.NotWritable, maxFile)
	if err != nil {
		return nil, err
	}
	s, err := Parse(Path, text)
	if err == nil {
		s.Root = root
	}
	return s, err
}

func defaults() Settings {
	const dir = "/var/lib/latchkey-fleetd/"
	return Settings{
		Listen: ":7443", CAFile: "/etc/latchkey/fleet-ca.pem",
		TLSCert: dir + "tls.crt", TLSKey: dir + "tls.key", Quota: 8,
		Limits: hosts.Limits{Failures: limit.Rate{Count: 30, Window: 10 * time.Minute}, Users: 10,
			Lasts: time.Hour},
	}
}

// maxPEM is the longest certificate or key.
const maxPEM = 64 << 10

// CA reads who vouches for the services.
func (s *Settings) CA() (string, error) {
	text, err := safefile.ReadFile(s.Root+s.CAFile, safefile.NotWritable, maxPEM)
	return string(text), err
}

// EtcdTLS is how etcd is reached; nil without TLS.
func (s *Settings) EtcdTLS() (*tls.Config, error) {
	if s.EtcdCA == "" {
		return nil, nil
	}
	text, err := safefile.ReadFile(s.Root+s.EtcdCA, safefile.NotWritable, maxPEM)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, errors.New(s.EtcdCA + ": has no certificate")
	}
	if _, err := s.pair(s.EtcdCert, s.EtcdKey); err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			return s.pair(s.EtcdCert, s.EtcdKey)
		}}, nil
}
