package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"latchkey/pam/fleet/admin"
	"latchkey/pam/fleet/fleetd/settings"
	"latchkey/pam/fleet/secret"
	"latchkey/pam/policy"
	"latchkey/pam/safefile"
)

// init makes the fleet's secret, and the fleet in etcd. If it was interrupted, it goes on with the
// secret that it has made.
func (p *program) init(ctx context.Context, o options) error {
	s, err := settings.Load(p.root)
	if err != nil {
		return err
	}
	key, made, err := p.firstSecret(o)
	if err != nil {
		return err
	}
	f, err := p.reach(s, key)
	if err != nil {
		return err
	}
	defer f.store.Close()
	if o.from != "" {
		return p.joined(ctx, f)
	}
	text, err := safefile.ReadFile(p.root+policy.DefaultPath, safefile.NotWritable, 1<<20)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	err = p.settled(f.Init(ctx, policy.DefaultPath, text), made)
	if err == nil {
		fmt.Fprintf(p.out, "The fleet is set up. Next: latchkey-fleetd export-secret for the other "+
			"services, then start\nlatchkey-fleetd.service on each.\n")
	}
	return err
}

// settled explains the error for a fleet that exists already, and removes a secret that was made in
// vain, but not one that opens that fleet: another init used it, or this one did and its answer was
// lost.
func (p *program) settled(err error, made bool) error {
	switch {
	case errors.Is(err, admin.ErrFleet):
		return hinted{err, "start latchkey-fleetd.service; for another service: export-secret"}
	case !errors.Is(err, admin.ErrOtherSecret):
		return err
	case made:
		err = errors.Join(err, os.Remove(p.secretPath()))
	}
	return hinted{err, "on another service than the first: init --from FILE"}
}

// joined checks that the secret is the one of the fleet in etcd.
func (p *program) joined(ctx context.Context, f *fleet) error {
	if _, err := f.Keys(ctx); err != nil {
		return fmt.Errorf("the secret is saved, but: %w", err)
	}
	fmt.Fprintf(p.out, "This service has the fleet's secret. Next: start "+
		"latchkey-fleetd.service.\n")
	return nil
}

// firstSecret makes the secret, or takes it from a file, unless there is one.
func (p *program) firstSecret(o options) (key secret.Secret, made bool, err error) {
	wanted := secret.New()
	if o.from != "" {
		text, err := p.readFrom(o.from)
		if err == nil {
			wanted, err = secret.Parse(text)
		}
		if err != nil {
			return key, false, fmt.Errorf("%s: %w", o.from, err)
		}
	}
	dir, err := safefile.OpenDir(p.dir())
	if err != nil {
		return key, false, err
	}
	defer dir.Close()
	err = dir.Create(filepath.Base(p.secretPath()), wanted.Format())
	if !errors.Is(err, fs.ErrExist) {
		return wanted, true, err
	}
	there, err := secret.Load(p.secretPath())
	if err == nil && o.from != "" && !bytes.Equal(there.Format(), wanted.Format()) {
		err = errors.New(p.secretPath() + " has another secret")
	}
	return there, false, err
}

func (p *program) readFrom(path string) ([]byte, error) {
	if path == "-" {
		return io.ReadAll(io.LimitReader(p.in, 4<<10))
	}
	return os.ReadFile(path)
}

// exportSecret prints the secret.
func (p *program) exportSecret(context.Context, options) error {
	key, err := secret.Load(p.secretPath())
	if err != nil {
		return err
	}
	_, err = p.out.Write(key.Format())
	return err
}
