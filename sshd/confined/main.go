// Command confined is `make confined`: it starts a virtual machine of each Debian, whose kernel has
// AppArmor and whose first process is systemd, installs the package there, with its profiles, and
// does in it what command inside lists. Containers share this machine's kernel, which may have no
// AppArmor.
//
// qemu emulates the processor, so that it runs anywhere: a machine takes about 15 minutes.
package main

import (
	"errors"
	"fmt"
	"os"
	"slices"

	"latchkey/sshd/suite"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "confined: error:", err)
		os.Exit(1)
	}
}

// run tries the distributions whose suites are named, or all.
func run(suites []string) error {
	dir, err := os.MkdirTemp("", "latchkey-confined-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	files, err := made(dir)
	if err != nil {
		return err
	}
	var failed error
	for _, d := range suite.Distributions {
		if len(suites) > 0 && !slices.Contains(suites, d.Suite) {
			continue
		}
		fmt.Printf("confined: %s\n", d.Name)
		if err := try(dir, d, files); err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", d.Name, err))
		}
	}
	return failed
}

// try makes a machine, and lets it run until it switches itself off.
func try(dir string, d *suite.Distribution, files []string) error {
	m, err := newMachine(dir, d, files)
	if err != nil {
		return err
	}
	return m.run()
}
