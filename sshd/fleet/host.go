package fleet

import (
	"fmt"

	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/wire"
	"latchkey/sshd/suite"
)

// Host is a container with latchkey and an sshd that asks for password and code.
type Host struct {
	*suite.Host
	*Asker
	Name string // in the fleet
	SSHD *suite.Server
}

// AddHost starts one more host and has it join with those roles.
func (f *Fleet) AddHost(roles string) (*Host, error) {
	inner, err := f.suite.Private(f.options.Distribution)
	if err != nil {
		return nil, err
	}
	h := &Host{Host: inner, Name: fmt.Sprintf("web%d", len(f.Hosts)+1)}
	f.Hosts = append(f.Hosts, h)
	if h.Asker, err = f.Join(h.Name, roles); err != nil {
		return nil, err
	}
	if err := h.settle(); err != nil {
		return nil, err
	}
	h.SSHD, err = h.Server(suite.PasswordAndCode)
	return h, err
}

// settle writes what a host of a fleet has.
func (h *Host) settle() error {
	for path, text := range map[string][]byte{settings.Path: h.Format(),
		settings.CAPath: []byte(h.CA), settings.KeyPath: wire.FormatHostKey(h.Key)} {
		mode := "644"
		if path == settings.KeyPath {
			mode = "600"
		}
		if _, err := h.Exec(string(text), "/usr/bin/install", "-m", mode, "/dev/stdin",
			path); err != nil {
			return err
		}
	}
	return nil
}

// User adds an account of that name to every host, and gives the first host's.
func (f *Fleet) User(name string) (*suite.User, error) {
	var first *suite.User
	for _, h := range f.Hosts {
		u, err := h.Named(name)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = u
		}
	}
	return first, nil
}

// Users adds n accounts to every host, under the same names, and gives each an app.
func (f *Fleet) Users(n int) (first []*suite.User, err error) {
	for i, h := range f.Hosts {
		users, err := h.Users(n)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			first = users
		} else if users[0].Name != first[0].Name {
			return nil, fmt.Errorf("%s and %s name users differently", h.Name, f.Hosts[0].Name)
		}
	}
	return first, f.Seed(first...)
}
