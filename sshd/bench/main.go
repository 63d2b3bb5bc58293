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

// plan is how much is measured.
type plan struct {
	rounds  int // of single logins and authentications
	batches int // of logins in parallel
	users   int // enrolled at the most
	crowded int // rounds of logins with each number of users
}

func run(args []string, out, progress io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	var p plan
	flags.IntVar(&p.rounds, "rounds", 100, "how often each is measured")
	flags.IntVar(&p.batches, "batches", 6, "how often logins in parallel are measured")
	flags.IntVar(&p.users, "users", 1_000_000, "how many users are enrolled at the most")
	flags.IntVar(&p.crowded, "crowded", 20, "how many logins with each number of users")
	dir := flags.String("dir", "build", "the folder for what was measured")
	from := flags.String("from", "", "a bench.json to show again, instead of measuring")
	readme := flags.Bool("readme", false, "put tables and plot where README and its pages show them")
	if flags.Parse(args) != nil {
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
	for _, d := range suite.Distributions {
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

// all measures everything on one host. The number of users is measured on the last of them alone:
// it costs most, and the distributions differ in nothing that it depends on.
func (b *bench) all(p plan) error {
	if err := b.logins(p.rounds); err != nil {
		return err
	}
	if err := b.modules(p.rounds); err != nil {
		return err
	}
	if err := b.parallel(p.batches); err != nil {
		return err
	}
	if b.host.Distribution != suite.Distributions[len(suite.Distributions)-1] {
		return nil
	}
	return b.crowds(p.users, p.crowded)
}
