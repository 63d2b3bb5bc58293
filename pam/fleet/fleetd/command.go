package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// command is one of the program's.
type command struct {
	name    string
	operand string // what it takes, a word for each; in brackets if it may be left out
	options string // for the help
	does    string
	run     func(p *program, ctx context.Context, o options) error
}

func commands() []command {
	return []command{
		{"serve", "", "", "answer the questions of hosts", (*program).serve},
		{"init", "", "[--from FILE]", "make a fleet, or join one as another service", (*program).init},
		{"export-secret", "", "", "print the secret for another service's init --from",
			(*program).exportSecret},
		{"status", "", "[--json]", "services, epoch, database, certificate", (*program).status},
		{"host invite", "NAME", "[--role ROLES] [--group GROUPS] [--for TIME] [--json]",
			"print a ticket for enroll fleet join", (*program).invite},
		{"host list", "", "[--json]", "all hosts", (*program).hosts},
		{"host role", "NAME ROLES", "", "give a host these roles in place of those it has",
			(*program).giveRoles},
		{"host revoke", "NAME", "", "refuse a host from its next question on", (*program).revoke},
		{"host release", "NAME", "", "end a host's quarantine", (*program).release},
		{"policy", "[FILE]", "", "print the fleet's latchkey.toml, or replace it",
			(*program).policy},
		{"rotate", "", "[--finish] [--json]", "a new key for answers", (*program).rotate},
		{"accept-restore", "", "[--yes] [--json]", "go on with an etcd that was restored from a backup",
			(*program).acceptRestore},
		{"remove", "NAME", "", "forget a service that no longer exists", (*program).remove},
	}
}

// options are what was typed behind a command.
type options struct {
	operand string
	role    string
	group   string
	from    string
	lasts   time.Duration
	json    bool
	yes     bool
	finish  bool
}

// commandTime bounds every command but serve.
const commandTime = 20 * time.Second

func (p *program) run(args []string) error {
	if len(args) == 0 || slices.Contains(args, "--help") || args[0] == "help" {
		p.help()
		return nil
	}
	if args[0] == "--version" {
		fmt.Fprintf(p.out, "latchkey-fleetd %s\n", version)
		return nil
	}
	c, rest, err := find(args)
	if err != nil {
		return err
	}
	o, err := parse(c, rest)
	if err != nil {
		return err
	}
	if c.name == "serve" {
		return p.serve(context.Background(), o)
	}
	ctx, cancel := context.WithTimeout(context.Background(), commandTime)
	defer cancel()
	return c.run(p, ctx, o)
}

func find(args []string) (command, []string, error) {
	for _, c := range commands() {
		words := strings.Fields(c.name)
		if len(args) >= len(words) && slices.Equal(args[:len(words)], words) {
			return c, args[len(words):], nil
		}
	}
	return command{}, nil, misuse(fmt.Sprintf("there is no command %q", strings.Join(args, " ")))
}

func parse(c command, args []string) (o options, err error) {
	set := flag.NewFlagSet(c.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	has := func(name string) bool { return strings.Contains(c.options, "--"+name) }
	if has("role") {
		set.StringVar(&o.role, "role", "verify", "")
		set.StringVar(&o.group, "group", "", "")
		set.DurationVar(&o.lasts, "for", 24*time.Hour, "")
	}
	if has("from") {
		set.StringVar(&o.from, "from", "", "")
	}
	for name, into := range map[string]*bool{"json": &o.json, "yes": &o.yes, "finish": &o.finish} {
		if has(name) {
			set.BoolVar(into, name, false, "")
		}
	}
	var given []string
	takes := strings.Fields(c.operand)
	for len(args) > 0 { // operands may stand before the options or behind them
		if err := set.Parse(args); err != nil {
			return o, misuse(fmt.Sprintf("%s: %v", c.name, err))
		}
		if args = set.Args(); len(args) > 0 {
			if len(given) == len(takes) {
				return o, misuse(fmt.Sprintf("%s: unexpected argument %q", c.name, args[0]))
			}
			given, args = append(given, args[0]), args[1:]
		}
	}
	if len(given) < len(takes) && !strings.HasPrefix(c.operand, "[") {
		return o, misuse(c.name + " needs " + c.operand)
	}
	for i, into := range []*string{&o.operand, &o.role}[:len(given)] {
		*into = given[i]
	}
	return o, nil
}

func (p *program) help() {
	fmt.Fprint(p.out, "Usage: latchkey-fleetd COMMAND\n\n")
	for _, c := range commands() {
		line := strings.Join(strings.Fields(c.name+" "+c.operand+" "+c.options), " ")
		fmt.Fprintf(p.out, "  %s\n        %s\n", line, c.does)
	}
	fmt.Fprint(p.out, "\nSee latchkey-fleetd(8).\n")
}
