package sshd_test

import (
	"fmt"
	"os"
	"testing"

	"latchkey/sshd/suite"
)

// shared is the suite that all tests use; each distribution's container starts once.
var shared *suite.Suite

// scratch is a folder that several tests use.
var scratch string

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

// runAll fails, and does not skip, where there is no container engine: a suite that did not run
// proves nothing.
func runAll(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "latchkey-debs-*"); err != nil {
		fmt.Fprintln(os.Stderr, "sshd:", err)
		return 1
	}
	defer os.RemoveAll(scratch)
	if shared, err = suite.Open(os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "sshd: the login suite cannot run:", err)
		return 1
	}
	defer func() {
		if err := shared.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "sshd: clean up:", err)
		}
	}()
	return m.Run()
}
