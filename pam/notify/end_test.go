package main_test

import (
	"os"
	"strings"
	"testing"

	"latchkey/pam/notify/event"
	"latchkey/pam/testroot"
)

// gone checks that the processes whose ids are in a file, and any with the root in their
// arguments, no longer exist, not even as zombies.
func (h *host) gone() {
	h.t.Helper()
	pids := strings.Fields(h.out("pids"))
	if len(pids) == 0 {
		h.t.Fatal("the program left no process id: this proves nothing")
	}
	for _, pid := range pids {
		if _, err := os.Stat("/proc/" + pid); err == nil {
			h.t.Errorf("process %s is left", pid)
		}
	}
}

// A program that hangs is ended, with all processes that it has started in any way.
func TestProgramThatHangsIsEnded(t *testing.T) {
	for name, script := range map[string]string{
		"it sleeps":            `echo $$ >>pids; exec sleep 1000`,
		"it waits for a child": `sleep 1000 & echo $! $$ >>pids; wait`,
		"it ignores signals": `trap '' TERM INT HUP ALRM; echo $$ >>pids; while :; ` +
			`do sleep 1000; done`,
		"it stops":                 `echo $$ >>pids; kill -STOP $$`,
		"it writes without an end": `echo $$ >>pids; while :; do echo x; done`,
		"a child in a session": `setsid sh -c 'echo $$ >>pids; exec sleep 1000' & echo ` +
			`$$ >>pids; wait`,
		"it starts one after another": `echo $$ >>pids; while :; do (sleep 1000 & echo $! ` +
			`>>pids); done`,
		"it starts them and loses them": `echo $$ >>pids; while :; do setsid sh -c 'sleep 1000 ` +
			`& echo $! >>pids'; done`,
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, script)
			h.tell(short, an(event.Lock))
			h.logged(event.Lock, "ended after 0s")
			h.gone()
		})
	}
}

func TestNothingThatProgramLeavesRunningSurvivesIt(t *testing.T) {
	for name, script := range map[string]string{
		"in the background": `sleep 1000 & echo $! >>pids`,
		"as a daemon": `(setsid sh -c 'echo $$ >>pids; exec sleep 1000' >/dev/null 2>&1 ` +
			`</dev/null &); while ! [ -s pids ]; do :; done`,
		"twice removed": `setsid sh -c 'setsid sh -c "echo \$\$ >>pids; exec sleep 1000" & :'; ` +
			`while ! [ -s pids ]; do :; done`,
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, script)
			h.tell(ample, an(event.Lock))
			h.gone()
			h.silent()
		})
	}
}

// The program dies with a latchkey-notify that is killed.
func TestProgramDiesWithItsParent(t *testing.T) {
	h := newHost(t, `mkfifo fifo; echo $$ >>pids; read -r x <fifo`)
	cmd := h.command(ample, an(event.Lock))
	testroot.Must(t, cmd.Start())
	pid := h.started()
	testroot.Must(t, cmd.Process.Kill())
	cmd.Wait()
	h.ends(pid)
}
