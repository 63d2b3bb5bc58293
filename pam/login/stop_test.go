package main_test

import (
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/factor"
	"latchkey/pam/testroot"
)

// stopCalls are the system calls of a login between which something is locked or changed.
const stopCalls = "flock pwrite64 fdatasync sendto"

// converse is a login that may stop anywhere.
func (g *gate) converse(code string) {
	g.trySend("H" + hello("alice"))
	if frame, _ := g.receive(); strings.HasPrefix(frame, "Q") {
		g.trySend("A" + code)
		g.receive()
	}
}

// FAULTS 24, 36
func TestLoginStoppedAfterAnySystemCallDoesNotHoldUpAnother(t *testing.T) {
	testroot.NeedRoot(t, "only root ends others")
	h := newHost(t, "")
	code, fresh := h.code(), testroot.Read(t, h.root.State("alice"))
	go func() { // this log is never read
		for buf := make([]byte, 65536); ; {
			if _, err := h.log.Read(buf); err != nil {
				return
			}
		}
	}()
	stops, served := 0, 0
	testroot.Stops(t, stopCalls,
		func(strace []string, stopped func(<-chan struct{}) bool, after string) bool {
			testroot.Write(t, h.root.State("alice"), fresh)
			first := h.startRole(strace)
			talked := make(chan struct{})
			go func() {
				first.converse(code)
				close(talked)
			}()
			if !stopped(first.ended) {
				<-talked
				return false
			}
			stops++
			second := h.startRole(nil)
			second.send("H" + hello("alice"))
			second.expect(prompt)
			second.send("A" + code)
			switch frame, err := second.receive(); {
			case frame == "V2 allow":
				served++
			// the first login has used it up
			case frame != wrongPrompt && !strings.Contains(frame, "Used before"):
				t.Errorf("stopped after %s: the other login got %q, %v", after, frame, err)
			}
			second.stop()
			// it may be stopped with its end open
			testroot.Must(t, unix.Shutdown(first.fd, unix.SHUT_RDWR))
			<-talked
			first.stop()
			h.free()
			if again := verify(h, code); again != factor.Replayed {
				t.Errorf("stopped after %s: the code is good for %d again", after, again)
			}
			return true
		})
	if stops < 5 || served < 2 {
		t.Errorf("%d logins were stopped, and %d let in then", stops, served)
	}
}
