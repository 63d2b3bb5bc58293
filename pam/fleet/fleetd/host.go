package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/wire"
)

// maxTicketLife is the longest that a ticket may last.
const maxTicketLife = 30 * 24 * time.Hour

func (p *program) invite(ctx context.Context, o options) error {
	roles, err := rolesOf(o.role)
	if err != nil {
		return err
	}
	h := hosts.Host{Name: o.operand, Roles: roles, Groups: list(o.group)}
	for _, g := range h.Groups {
		if !wire.IsHostName(g) {
			return misuse(fmt.Sprintf("%q cannot be the name of a group", g))
		}
	}
	if o.lasts <= 0 || o.lasts > maxTicketLife {
		return misuse("--for must be more than 0 and at most 720h")
	}
	f, err := p.open()
	if err != nil {
		return err
	}
	defer f.store.Close()
	ticket, err := f.ticket(ctx, h, time.Now().Add(o.lasts))
	if err != nil {
		return err
	}
	data := map[string]any{"host": h.Name, "ticket": ticket, "until": time.Now().Add(o.lasts)}
	return p.print(o, data, func() { fmt.Fprintln(p.out, ticket) })
}

// giveRoles gives a host other roles. They count from its next question on.
func (p *program) giveRoles(ctx context.Context, o options) error {
	roles, err := rolesOf(o.role)
	if err == nil && len(roles) == 0 {
		err = misuse("host role needs at least one role; to take a host out: host revoke")
	}
	if err != nil {
		return err
	}
	f, err := p.open()
	if err != nil {
		return err
	}
	defer f.store.Close()
	return f.GiveRoles(ctx, o.operand, roles)
}

// rolesOf reads a list of roles.
func rolesOf(text string) ([]hosts.Role, error) {
	roles := []hosts.Role{}
	for _, word := range list(text) {
		r := hosts.Role(word)
		if !slices.Contains(hosts.Roles, r) {
			return nil, misuse(fmt.Sprintf("there is no role %q: verify, enroll, admin", word))
		}
		if !slices.Contains(roles, r) {
			roles = append(roles, r)
		}
	}
	return roles, nil
}

func list(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
}

// ticket invites a host. All that can be wrong with the ticket is found before that.
func (f *fleet) ticket(ctx context.Context, h hosts.Host, until time.Time) (string, error) {
	opening, err := f.secret.Opening()
	if err != nil {
		return "", err
	}
	ca, err := f.CA()
	if err != nil {
		return "", err
	}
	public, err := f.Keys(ctx)
	if err != nil {
		return "", err
	}
	t := settings.Ticket{Services: f.Services, FleetKey: opening.Public().String(), CA: ca,
		Host: h.Name, Until: until.UTC().Truncate(time.Second)}
	for _, k := range public {
		t.VerifyKey = append(t.VerifyKey, k.String())
	}
	t.Secret = make([]byte, 32)
	if _, err := t.Encode(); err != nil {
		return "", err
	}
	if t.Secret, err = f.Invite(ctx, h, t.Until); err != nil {
		return "", err
	}
	return t.Encode()
}

func (p *program) revoke(ctx context.Context, o options) error {
	f, err := p.open()
	if err != nil {
		return err
	}
	defer f.store.Close()
	return f.Revoke(ctx, o.operand)
}

func (p *program) release(ctx context.Context, o options) error {
	f, err := p.open()
	if err != nil {
		return err
	}
	defer f.store.Close()
	return f.Release(ctx, o.operand)
}

func (p *program) hosts(ctx context.Context, o options) error {
	f, err := p.open()
	if err != nil {
		return err
	}
	defer f.store.Close()
	all, err := f.Hosts(ctx)
	if err != nil {
		return err
	}
	return p.print(o, all, func() {
		w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "HOST\tSTATUS\tROLES\tGROUPS\tSINCE\tBY\tQUARANTINE")
		for _, h := range all {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", h.Name, h.Status,
				dash(join(h.Roles)), dash(strings.Join(h.Groups, ",")), moment(h.Since),
				h.By, moment(h.Quarantine))
		}
		w.Flush()
	})
}

func join(roles []hosts.Role) string {
	var words []string
	for _, r := range roles {
		words = append(words, string(r))
	}
	return strings.Join(words, ",")
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04")
}
