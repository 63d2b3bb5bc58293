package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/pam/testroot"
)

// Debian 13's ssh.socket starts ssh.service, which ends at SIGHUP: "Cannot bind any address".
func TestAnSSHDThatASocketStartedIsStartedAgainAndAnyOtherReloaded(t *testing.T) {
	for active, want := range map[string]string{"ssh.socket": "restart ssh.service",
		"another.socket": "reload ssh.service"} {
		dir := t.TempDir()
		log := filepath.Join(dir, "log")
		testroot.Must(t, os.WriteFile(filepath.Join(dir, "systemctl"), []byte("#!/bin/sh\n"+
			"[ $1 != is-active ] || { [ $3 = "+active+" ]; exit; }\necho $* >>"+log+"\n"), 0o755))
		t.Setenv("PATH", dir+":/usr/bin:/bin")
		testroot.Must(t, reloadUnit("ssh.service", nil, nil))
		text, _ := os.ReadFile(log) // without calls there is none
		if got := strings.TrimSpace(string(text)); got != want {
			t.Errorf("while %s is active: got %q, want %q", active, got, want)
		}
	}
}

func TestListenersThatAreNotAUnitsMainProcessAreOthers(t *testing.T) {
	all := []listener{{pid: 10}, {pid: 20}}
	for main, want := range map[int][2]int{10: {1, 1}, 20: {1, 1}, 30: {0, 2}, 0: {2, 0}} {
		units, others := split(all, main)
		if got := [2]int{len(units), len(others)}; got != want {
			t.Errorf("main process %d: got %v, want %v", main, got, want)
		}
	}
}
