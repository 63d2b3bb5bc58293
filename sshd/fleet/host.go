package fleet

import (
	"fmt"

	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/settings"
	"latchkey/sshd/suite"
)

// Host is a container with latchkey and an sshd that asks for password and code.
type Host struct {
	*suite.Host
	*Asker
	Name string // in the fleet
	SSHD *suite.Server
}

// addHost has one of the containers join.
func (f *Fleet) addHost() (err error) {
	h := &Host{Host: f.spare[0], Name: fmt.Sprintf("web%d", len(f.Hosts)+1)}
	f.Hosts, f.spare = append(f.Hosts, h), f.spare[1:]
	if err := f.enter(h, f.options.Roles); err != nil {
		return err
	}
	config := suite.PasswordAndCode
	config.Name = "sshd"
	h.SSHD, err = h.Server(config)
	return err
}

// enter has the host join, as its root does, and learns what it knows then.
func (f *Fleet) enter(h *Host, roles string) error {
	text, err := f.Invite(h.Name, roles)
	if err != nil {
		return err
	}
	if _, err := h.Exec("", "/usr/bin/enroll", "fleet", "join", text, "--yes"); err != nil {
		return err
	}
	key, err := h.Exec("", "/bin/cat", settings.KeyPath)
	if err != nil {
		return err
	}
	ticket, err := settings.ParseTicket(text)
	if err != nil {
		return err
	}
	if h.Asker, err = newAsker(ticket); err != nil {
		return err
	}
	h.Key, err = fleetkey.ParseHost([]byte(key))
	return err
}

// Rejoin makes a host that was revoked one of the fleet again; with empty roles, as it was.
func (f *Fleet) Rejoin(h *Host, roles string) error {
	if roles == "" {
		roles = f.options.Roles
	}
	if _, err := h.Exec("", "/usr/bin/enroll", "fleet", "leave", "--yes"); err != nil {
		return err
	}
	return f.enter(h, roles)
}

// BreakGlass has the host let those users in with its own codes while no service can be reached.
func (h *Host) BreakGlass(users ...string) error {
	h.Unreachable, h.Settings.BreakGlass = settings.BreakGlass, users
	_, err := h.Exec(string(h.Format()), "/usr/bin/tee", settings.Path)
	return err
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
