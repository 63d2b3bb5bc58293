package fleet_test

import (
	"fmt"
	"os"
	"testing"

	"latchkey/sshd/suite"
)

// shared is the suite that all tests use.
var shared *suite.Suite

func TestMain(m *testing.M) {
	os.Exit(runAll(m))
}

// runAll fails, and does not skip, where there is no container engine: a suite that did not run
// proves nothing.
func runAll(m *testing.M) int {
	var err error
	if shared, err = suite.Open(os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "fleet: the login suite cannot run:", err)
		return 1
	}
	defer func() {
		if err := shared.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "fleet: clean up:", err)
		}
	}()
	return m.Run()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
