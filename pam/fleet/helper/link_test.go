package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"latchkey/pam/testroot"
)

func TestProgramLinksTheStandardLibraryAndWhatItCarries(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	testroot.Must(t, err)
	ours := []string{"latchkey/pam/fleet/helper", "latchkey/pam/fleet/carrier",
		"latchkey/pam/fleet/fleetkey", "latchkey/pam/fleet/wire",
		"latchkey/pam/unprivileged/harden", "latchkey/pam/unprivileged/confine",
		"golang.org/x/sys/unix"}
	for _, path := range strings.Fields(string(out)) {
		first, _, _ := strings.Cut(path, "/")
		if (first == "latchkey" || strings.Contains(first, ".")) && !slices.Contains(ours, path) {
			t.Errorf("it links %s", path)
		}
	}
}
