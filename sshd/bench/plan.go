package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"

	"latchkey/sshd/suite"
)

// plan is what is measured, and how much of it.
type plan struct {
	rounds  int // of single logins and authentications
	batches int // of logins in parallel
	users   int // enrolled at the most
	crowded int // rounds of logins with each number of users

	parts []string              // names of parts
	on    []*suite.Distribution // hosts
	whole bool                  // nothing is left out
}

// partNames are what can be measured by itself.
var partNames = []string{"logins", "modules", "parallel", "users"}

// parsePlan reads the flags of a plan, with those that are defined in flags already.
func parsePlan(flags *flag.FlagSet, args []string) (p plan, err error) {
	flags.IntVar(&p.rounds, "rounds", 100, "how often each is measured")
	flags.IntVar(&p.batches, "batches", 6, "how often logins in parallel are measured")
	flags.IntVar(&p.users, "users", 1_000_000, "how many users are enrolled at the most")
	flags.IntVar(&p.crowded, "crowded", 20, "how many logins with each number of users")
	parts := flags.String("parts", strings.Join(partNames, ","), "what is measured")
	on := flags.String("on", "", "the only `host` to measure, such as \"debian 12\"")
	if err := flags.Parse(args); err != nil {
		return p, err
	}
	p.parts = strings.Split(*parts, ",")
	for _, part := range p.parts {
		if !slices.Contains(partNames, part) {
			return p, fmt.Errorf("-parts: %q is none of %s", part, strings.Join(partNames, ", "))
		}
	}
	for _, d := range suite.Distributions {
		if *on == "" || *on == d.Name {
			p.on = append(p.on, d)
		}
	}
	if len(p.on) == 0 {
		return p, errors.New("-on: there is no such host")
	}
	p.whole = len(p.parts) == len(partNames) && len(p.on) == len(suite.Distributions)
	return p, nil
}

func (p plan) has(part string) bool { return slices.Contains(p.parts, part) }
