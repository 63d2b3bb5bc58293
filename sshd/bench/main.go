// Bench measures what latchkey adds to a login, next to what google-authenticator adds. Everything
// that is compared is measured in turns in one run, so that a slow minute of the machine slows all
// alike. It prints medians and their ratios, and judges nothing.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"latchkey/sshd/suite"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, progress io.Writer) int {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.SetOutput(progress)
	rounds := flags.Int("rounds", 100, "how often each is measured")
	records := flags.Int("records", 100_000, "how many users are enrolled in the crowded host")
	if flags.Parse(args) != nil {
		return 2
	}
	if err := measure(*rounds, *records, out, progress); err != nil {
		fmt.Fprintln(progress, "bench: error:", err)
		return 1
	}
	return 0
}

func measure(rounds, records int, out, progress io.Writer) (err error) {
	s, err := suite.Open(progress)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	for _, d := range suite.Distributions {
		h, err := s.Host(d)
		if err != nil {
			return err
		}
		if err := logins(h, rounds, out); err != nil {
			return err
		}
		if err := modules(h, rounds, out); err != nil {
			return err
		}
	}
	return crowds(s, rounds, records, out)
}
