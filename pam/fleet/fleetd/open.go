package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"time"

	"latchkey/pam/fleet/admin"
	"latchkey/pam/fleet/fleetd/settings"
	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/store"
)

// fleet is what commands work on.
type fleet struct {
	*settings.Settings
	secret secret.Secret
	store  *store.Store
	admin.Admin
}

func (p *program) dir() string        { return p.root + stateDir }
func (p *program) secretPath() string { return p.dir() + "/fleet.key" }

// open reads the settings and the secret. It does not wait for etcd.
func (p *program) open() (*fleet, error) {
	s, err := settings.Load(p.root)
	if err != nil {
		return nil, err
	}
	key, err := secret.Load(p.secretPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, hinted{errors.New("this service does not have the fleet's secret"),
			"latchkey-fleetd init, or on another service than the first: init --from FILE"}
	}
	if err != nil {
		return nil, err
	}
	return p.reach(s, key)
}

func (p *program) reach(s *settings.Settings, key secret.Secret) (*fleet, error) {
	c, err := storeConfig(s, key)
	if err != nil {
		return nil, err
	}
	st, err := store.Open(c)
	if err != nil {
		return nil, err
	}
	return &fleet{s, key, st, admin.Admin{Store: st, By: caller()}}, nil
}

func storeConfig(s *settings.Settings, key secret.Secret) (store.Config, error) {
	with, err := s.EtcdTLS()
	return store.Config{Endpoints: s.Etcd, TLS: with, Secret: key, Clock: time.Now}, err
}

// caller is who runs the command, for the fleet to keep.
func caller() string {
	for _, name := range []string{os.Getenv("SUDO_USER"), os.Getenv("USER")} {
		if name != "" {
			return name
		}
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprint("uid ", os.Getuid())
}

// print writes data as JSON or, for people, with show.
func (p *program) print(o options, data any, show func()) error {
	if !o.json {
		show()
		return nil
	}
	e := json.NewEncoder(p.out)
	e.SetIndent("", "  ")
	return e.Encode(data)
}
