package fleet

import (
	"fmt"
	"strings"

	"latchkey/sshd/suite"
)

// Host is a container with latchkey and an sshd that asks for password and code.
type Host struct {
	*suite.Host
	Name string // in the fleet
	SSHD *suite.Server
	// Joined is what `enroll fleet join` printed, with the break-glass codes.
	Joined string
}

// AddHost starts one more host and has it join with those roles.
func (f *Fleet) AddHost(roles string) (*Host, error) {
	inner, err := f.suite.Private(f.options.Distribution)
	if err != nil {
		return nil, err
	}
	h := &Host{Host: inner, Name: fmt.Sprintf("web%d", len(f.Hosts)+1)}
	f.Hosts = append(f.Hosts, h)
	ticket, err := f.Services[0].Command("", "host", "invite", h.Name, "--role", roles)
	if err != nil {
		return nil, err
	}
	h.Joined, err = h.Exec("", "/usr/bin/enroll", "fleet", "join", strings.TrimSpace(ticket))
	if err != nil {
		return nil, err
	}
	h.SSHD, err = h.Server(suite.PasswordAndCode)
	return h, err
}

// Users adds an account of that name to every host, and gives the first host's.
func (f *Fleet) Users(name string) (*suite.User, error) {
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
