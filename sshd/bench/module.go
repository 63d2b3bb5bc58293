package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"latchkey/sshd/bench/figures"
	"latchkey/sshd/suite"
	"latchkey/sshd/suite/wire"
)

// nothing is a stack whose cost is pamtester's own: it calls pam_authenticate and does nothing
// else.
const nothing figures.Stack = "pam_permit"

// modules measures CPU time and peak memory of each module alone, called by pamtester, and of all
// that it starts. Of the time, what pamtester itself takes is taken off.
func (b *bench) modules(rounds int) error {
	stacks := append(figures.Stacks(), nothing)
	for i, s := range stacks {
		line := map[figures.Stack]string{figures.Unix: password, nothing: "required pam_permit.so"}[s]
		if line == "" {
			line = modules[s]
		}
		if err := b.host.Service(fmt.Sprintf("module%d", i), suite.Stack{line}); err != nil {
			return err
		}
	}
	cpu, peak := b.result.Add(figures.CPU, b.name, 0), b.result.Add(figures.Peak, b.name, 0)
	for round := range rounds + 1 {
		if err := b.authentications(stacks, cpu, peak, round > 0); err != nil {
			return err
		}
		b.say("modules alone", round, rounds)
	}
	without := figures.Median(cpu.Values[nothing])
	delete(cpu.Values, nothing)
	delete(peak.Values, nothing)
	for _, values := range cpu.Values {
		for i := range values {
			values[i] -= without
		}
	}
	return nil
}

// authentications authenticates one user by each module, in an order drawn by lot.
func (b *bench) authentications(stacks []figures.Stack, cpu, peak *figures.Figure,
	counts bool) error {
	taken, err := b.users.take(1)
	if err != nil {
		return err
	}
	defer b.users.giveBack(taken)
	for _, i := range rand.Perm(len(stacks)) {
		s := stacks[i]
		typed := taken[0].Code()
		if s == figures.Unix {
			typed = suite.Password
		}
		used, largest, err := b.authenticate(fmt.Sprintf("module%d", i), taken[0], typed)
		if err != nil {
			return err
		}
		if counts {
			cpu.Values[s] = append(cpu.Values[s], used)
			peak.Values[s] = append(peak.Values[s], largest)
		}
	}
	return nil
}

// authenticate runs pamtester under time(1), because the peak that a Go parent sees of a child
// contains its own.
func (b *bench) authenticate(service string, u *user, typed string) (cpu, peak float64, err error) {
	reply, err := b.host.Run(wire.Request{
		Argv: slices.Concat([]string{"/usr/bin/time", "--quiet", "--format=\n%M"},
			[]string{"/usr/bin/pamtester", service, u.Name, "authenticate"}),
		Stdin: []byte(typed + "\n"),
	})
	if err != nil {
		return 0, 0, err
	}
	if reply.Exit != 0 {
		return 0, 0, fmt.Errorf("pamtester %s: exit status %d: %s%s", service, reply.Exit,
			reply.Stdout, reply.Stderr)
	}
	lines := strings.Split(strings.TrimSpace(string(reply.Stderr)), "\n")
	kib, err := strconv.Atoi(lines[len(lines)-1])
	if err != nil {
		return 0, 0, fmt.Errorf("time printed %q: %w", reply.Stderr, err)
	}
	return ms(reply.CPU), float64(kib) / 1024, nil
}
