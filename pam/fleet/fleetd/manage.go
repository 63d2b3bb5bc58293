package main

import (
	"context"
	"errors"
	"fmt"

	"latchkey/pam/fleet/admin"
	"latchkey/pam/fleet/node"
	"latchkey/pam/safefile"
)

// policy prints the fleet's latchkey.toml, or replaces it.
func (p *program) policy(ctx context.Context, o options) error {
	f, err := p.open()
	if err != nil {
		return err
	}
	defer f.store.Close()
	if o.operand == "" {
		text, err := f.Policy(ctx)
		if err == nil {
			_, err = p.out.Write(text)
		}
		return err
	}
	text, err := safefile.ReadFile(o.operand, safefile.NotWritable, 1<<20)
	if err != nil {
		return err
	}
	return f.SetPolicy(ctx, o.operand, text)
}

// rotate makes the next signing key, or changes over to it.
func (p *program) rotate(ctx context.Context, o options) error {
	f, err := p.open()
	if err != nil {
		return err
	}
	defer f.store.Close()
	change := f.Rotate
	if o.finish {
		change = f.Finish
	}
	if err := change(ctx); err != nil {
		return err
	}
	public, err := f.Keys(ctx)
	if err != nil {
		return err
	}
	var texts []string
	for _, k := range public {
		texts = append(texts, k.String())
	}
	return p.print(o, map[string]any{"verify_key": texts}, func() {
		fmt.Fprintf(p.out, "verify_key = %s\n", quoted(texts))
		next := "until then a host believes the old key, too"
		if !o.finish {
			next = "then: latchkey-fleetd rotate --finish"
		}
		fmt.Fprintln(p.err, "Put this line into fleet.toml on every host; "+next)
	})
}

// quoted is a list as TOML has it.
func quoted(texts []string) string {
	line := "["
	for i, t := range texts {
		if i > 0 {
			line += ", "
		}
		line += fmt.Sprintf("%q", t)
	}
	return line + "]"
}

// acceptRestore begins a new epoch.
func (p *program) acceptRestore(ctx context.Context, o options) error {
	if !o.yes {
		return hinted{errors.New("this makes every code void that may have been used since the " +
			"backup: recovery codes, one-time codes, trusted computers; hardware tokens need two " +
			"codes in a row; devices and hosts removed since the backup are back"),
			"latchkey-fleetd accept-restore --yes"}
	}
	f, err := p.open()
	if err != nil {
		return err
	}
	defer f.store.Close()
	least, err := node.LastEpoch(p.dir())
	if err != nil {
		return err
	}
	e, err := f.AcceptRestore(ctx, least)
	if err != nil {
		return err
	}
	return p.print(o, e, func() {
		fmt.Fprintf(p.out, "Epoch %d. The services go on within a second.\n", e.Number)
	})
}

// remove forgets a service; this one may then begin again.
func (p *program) remove(ctx context.Context, o options) error {
	f, err := p.open()
	if err != nil {
		return err
	}
	defer f.store.Close()
	err = f.RemoveService(ctx, o.operand)
	if o.operand != f.Name || err != nil && !errors.Is(err, admin.ErrNoService) {
		return err
	}
	return node.Forget(p.dir()) // an earlier command may have been killed before this
}
