package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
	"strings"

	"latchkey/sshd/suite"
	"latchkey/sshd/suite/wire"
)

// lone is a PAM stack of one module, called by pamtester: a small C program that calls
// pam_authenticate and does nothing else.
type lone struct {
	service   string
	stack     suite.Stack
	cpu, peak sample
}

// modules measures CPU time and peak memory of pamtester with each module and of all that it
// started. The cost with pam_permit is pamtester's own.
func modules(h *suite.Host, rounds int, out io.Writer) error {
	all := []*lone{
		{service: "bench-permit", stack: suite.Permit},
		{service: "bench-google", stack: suite.OnlyGoogle},
		{service: "bench-latchkey", stack: suite.OnlyCode},
	}
	for _, l := range all {
		l.cpu.name, l.peak.name = l.service, l.service
		if err := h.Service(l.service, l.stack); err != nil {
			return err
		}
	}
	for round := range rounds + 1 {
		u, err := member(h)
		if err != nil {
			return err
		}
		for _, i := range rand.Perm(len(all)) {
			if err := all[i].authenticate(h, u, round > 0); err != nil {
				return err
			}
		}
	}
	permit, google, latchkey := all[0], all[1], all[2]
	table(out, h.Name+": one authentication by pamtester, CPU", "ms", &permit.cpu, &google.cpu,
		&latchkey.cpu)
	fmt.Fprintf(out, "  the module alone: latchkey %.2f ms, google-authenticator %.2f ms\n",
		latchkey.cpu.median()-permit.cpu.median(), google.cpu.median()-permit.cpu.median())
	table(out, h.Name+": the largest process of it, peak memory", "MiB", &permit.peak,
		&google.peak, &latchkey.peak)
	return nil
}

// authenticate runs pamtester under time(1), because the peak that a Go parent sees of a child
// contains its own.
func (l *lone) authenticate(h *suite.Host, u *suite.User, counts bool) error {
	reply, err := h.Run(wire.Request{
		Argv: []string{
			"/usr/bin/time", "--quiet", "--format=\n%M", "/usr/bin/pamtester", l.service, u.Name,
			"authenticate",
		},
		Stdin: []byte(u.Code() + "\n"),
	})
	if err != nil {
		return err
	}
	if reply.Exit != 0 {
		return fmt.Errorf("pamtester %s: exit status %d: %s%s", l.service, reply.Exit,
			reply.Stdout, reply.Stderr)
	}
	lines := strings.Split(strings.TrimSpace(string(reply.Stderr)), "\n")
	kib, err := strconv.Atoi(lines[len(lines)-1])
	if err != nil {
		return fmt.Errorf("time printed %q: %w", reply.Stderr, err)
	}
	if counts {
		l.cpu.add(ms(reply.CPU))
		l.peak.add(float64(kib) / 1024)
	}
	return nil
}
