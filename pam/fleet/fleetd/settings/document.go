package settings

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"latchkey/pam/endpoint"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/policy/value"
	"latchkey/pam/strict"
)

func keys() map[string][]string {
	return map[string][]string{"": {"name", "listen", "services", "ca_file", "tls_cert", "tls_key",
		"etcd", "etcd_ca", "etcd_cert", "etcd_key", "etcd_quota", "enroll_hosts", "host_limit",
		"host_users", "quarantine", "uids", "metrics"}}
}

// Bounds.
const (
	maxCodes = 1000 // of host_limit
	maxUsers = 1000
	maxQuota = 1024
)

// document is the file while it is read.
type document struct {
	strict.Schema
	Settings
}

// Parse reads the text of the settings; file is their name in errors, which are "file:line: what".
func Parse(file string, text []byte) (*Settings, error) {
	d := &document{Settings: defaults()}
	d.Schema = strict.Schema{File: file, Limit: maxFile, Keys: keys, Set: d.set, Close: d.whole}
	if err := d.Read(text); err != nil {
		return nil, err
	}
	return &d.Settings, nil
}

func (d *document) set(_ string, v strict.Value) error {
	paths := map[string]*string{"ca_file": &d.CAFile, "tls_cert": &d.TLSCert, "tls_key": &d.TLSKey,
		"etcd_ca": &d.EtcdCA, "etcd_cert": &d.EtcdCert, "etcd_key": &d.EtcdKey}
	if into, ok := paths[v.Name]; ok {
		return v.Text(into, "be an absolute path without . and ..", isPath)
	}
	switch v.Name {
	case "name":
		return v.Text(&d.Name, "be this service's name: letters, digits, . - _", wire.IsHostName)
	case "listen":
		return v.Text(&d.Listen, `be an address and a port, such as ":7443"`, isAddress)
	case "metrics":
		return v.Text(&d.Metrics, `be an address of this machine only, such as "127.0.0.1:7444"`,
			isLocal)
	case "services":
		return strict.Some(v, &d.Services, https)
	case "etcd":
		return strict.Some(v, &d.Etcd, nodeURL)
	case "etcd_quota":
		return v.Int(&d.Quota, 1, maxQuota)
	case "enroll_hosts":
		return strict.List(v, &d.EnrollHosts, hostOrGroup)
	case "host_limit":
		return value.Rate(v, &d.Limits.Failures, maxCodes)
	case "host_users":
		return v.Int(&d.Limits.Users, 1, maxUsers)
	case "quarantine":
		return value.Span(v, &d.Limits.Lasts)
	case "uids":
		var word string
		err := strict.Word("any", "same")(v, &word)
		d.SameUIDs = word == "same"
		return err
	}
	return v.Unknown()
}

func isPath(path string) bool { return filepath.IsAbs(path) && filepath.Clean(path) == path }

func isAddress(text string) bool {
	_, port, err := net.SplitHostPort(text)
	return err == nil && port != "" && port != "0"
}

// isLocal reports whether only this machine can reach an address: the numbers name operations and
// faults.
func isLocal(text string) bool {
	host, _, err := net.SplitHostPort(text)
	ip := net.ParseIP(host)
	return err == nil && isAddress(text) && (host == "localhost" || ip != nil && ip.IsLoopback())
}

func https(v strict.Value, into *string) error {
	return v.Text(into, `be "https://", a host and at most a port`, func(s string) bool {
		u, err := endpoint.Parse(s)
		return err == nil && u.Scheme == "https" && u.User == nil
	})
}

func nodeURL(v strict.Value, into *string) error {
	must := `be "https://", a host and a port; "http://" for this machine only`
	return v.Text(into, must, func(s string) bool {
		u, err := endpoint.Parse(s)
		return err == nil && u.User == nil && u.Port() != "" &&
			(u.Scheme == "https" || u.Scheme == "http" && isLocal(u.Host))
	})
}

func hostOrGroup(v strict.Value, into *string) error {
	return v.Text(into, "be a host's name, or @ and a group's",
		func(s string) bool { return wire.IsHostName(strings.TrimPrefix(s, "@")) })
}

// whole refuses settings of which a part is missing.
func (d *document) whole(_ string, lines map[string]int) error {
	for _, name := range []string{"name", "etcd", "services"} {
		if lines[name] == 0 {
			return fmt.Errorf("%s: %s is not set", d.File, name)
		}
	}
	for _, url := range d.Etcd {
		if strings.HasPrefix(url, "https:") && (d.EtcdCA == "" || d.EtcdCert == "" ||
			d.EtcdKey == "") {
			return d.ErrorAt(lines["etcd"],
				"etcd with https needs etcd_ca, etcd_cert and etcd_key")
		}
	}
	return nil
}
