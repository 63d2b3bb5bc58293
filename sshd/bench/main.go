// Bench measures what latchkey adds to a login, next to google-authenticator and pam_oath.
// Everything that is compared is measured in turns in one run, so that a slow minute of the machine
// slows all alike. It judges nothing.
//
// It leaves what it measured in a folder: every value (bench.json), a table (bench.md) and a plot
// (bench.svg). With -readme it also puts the table and the plot where README shows them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"latchkey/sshd/bench/figures"
	"latchkey/sshd/suite"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, progress io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	dir := flags.String("dir", "build", "the folder for what was measured")
	from := flags.String("from", "", "a bench.json to show again, instead of measuring")
	readme := flags.Bool("readme", false, "put tables and plot where README and its pages show them")
	p, err := parsePlan(flags, args)
	if err == nil && *readme && !p.whole {
		err = errors.New("-readme: README shows all parts and hosts")
	}
	if err != nil {
		fmt.Fprintln(progress, "bench: error:", err)
		return 2
	}
	result, err := obtain(*from, p, progress)
	if result != nil { // even if it is not all, or the removal of the hosts failed
		err = errors.Join(err, publish(result, *dir, *readme && err == nil, out))
	}
	if err != nil {
		fmt.Fprintln(progress, "bench: error:", err)
		return 1
	}
	return 0
}

// obtain reads a run, or makes one.
func obtain(from string, p plan, progress io.Writer) (*figures.Run, error) {
	if from != "" {
		return figures.Load(from)
	}
	return measure(p, progress)
}

func measure(p plan, progress io.Writer) (result *figures.Run, err error) {
	s, err := suite.Open(progress)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	result = &figures.Run{Machine: machine()}
	for _, d := range p.on {
		b, err := newBench(s, d, result, progress)
		if err != nil {
			return result, err
		}
		err = b.all(p)
		if err = errors.Join(err, b.host.Close()); err != nil {
			return result, err
		}
	}
	return result, nil
}

// all measures what is planned on one host. The number of users is measured on the last of them
// alone: it costs most, and the distributions differ in nothing that it depends on.
func (b *bench) all(p plan) error {
	measures := []func() error{
		func() error { return b.logins(p.rounds) },
		func() error { return b.modules(p.rounds) },
		func() error { return b.parallel(p.batches) },
		func() error { return b.crowds(p.users, p.crowded) },
	}
	for i, part := range partNames {
		last := b.host.Distribution == p.on[len(p.on)-1]
		if !p.has(part) || part == "users" && !last {
			continue
		}
		if err := measures[i](); err != nil {
			return err
		}
	}
	return nil
}
