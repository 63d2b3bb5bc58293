package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"latchkey/pam/testroot"
)

// FAULTS 24, 36
func TestEnrollStoppedAfterAnySystemCallHoldsUpNoOtherEnroll(t *testing.T) {
	for _, call := range []string{"flock", "pwrite64", "fdatasync", "fsync", "renameat2",
		"unlinkat"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			exe, root := underRoot(t)
			stops := 0
			testroot.Stops(t, call, func(strace []string, stopped func(<-chan struct{}) bool,
				after string) bool {
				wipe(t, root)
				runs(t, exe, "add", "totp", "--label", "phone", "--yes")
				var out bytes.Buffer
				line := append(strace, exe, "add", "totp", "--label", "tablet", "--yes")
				first, ended := exec.Command(line[0], line[1:]...), make(chan struct{})
				first.Stdout, first.Stderr = &out, &out
				if err := first.Start(); err != nil {
					t.Fatal(err)
				}
				go func() {
					first.Wait()
					close(ended)
				}()
				if !stopped(ended) {
					return false
				}
				stops++
				// fails if it is held up
				runs(t, exe, "add", "totp", "--label", "another", "--yes")
				status := runs(t, exe, "status")
				if !strings.Contains(status, "phone ") || !strings.Contains(status, "another ") {
					t.Errorf("stopped after %s: %s", after, status)
				}
				// strace, which leaves what it traced stopped unless it is ended
				first.Process.Kill()
				<-ended
				return true
			})
			if stops == 0 {
				t.Error("it was never stopped")
			}
		})
	}
}
