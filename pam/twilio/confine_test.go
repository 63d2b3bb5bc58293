package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/pam/method"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/standin"
	"latchkey/pam/unprivileged/plant"
)

// takenOver answers with what the planted code could do.
var takenOver = plant.Change{From: "return answer(r, clock)",
	To: "return protocol.Answer{Version: protocol.Version, Result: protocol.Refused, " +
		"Detail: planted(r.Service.Base())}"}

// unconfined switches the rule off.
var unconfined = plant.Change{From: "err := confined(r.Service)", To: "err := error(nil)"}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// does is what the planted code of a program could do.
func does(t *testing.T, file string) string {
	t.Helper()
	s := startStandin(t, standin.Options{})
	input, err := protocol.EncodeRequest(sendTo(s.Settings(), method.SMS))
	must(t, err)
	cmd := command(t)
	cmd.Path = file
	var stdout bytes.Buffer
	cmd.Stdin, cmd.Stdout = bytes.NewReader(input), &stdout
	must(t, cmd.Run())
	a, err := protocol.DecodeAnswer(stdout.Bytes())
	must(t, err)
	return a.Detail
}

// Everything but the look-up of hosts and the connection to Verify is refused, on every thread.
// Without the rule the same code does it all, so that each refusal is the rule's.
func TestTakenOverProgramOpensAndReachesNothingElse(t *testing.T) {
	plant.NeedLandlock(t)
	if got := does(t, plant.Program(t, takenOver)); got != plant.Confined {
		t.Errorf("got %q done, want %q", got, plant.Confined)
	}
	if got := does(t, plant.Program(t, takenOver, unconfined)); got != plant.Unconfined {
		t.Errorf("without the rule: got %q done, want %q", got, plant.Unconfined)
	}
}

// Where the kernel has no Landlock, codes are sent all the same.
func TestKernelWithoutLandlockMakesNoDifferenceToARequest(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace, which makes the kernel an old one, is not there")
	}
	s := startStandin(t, standin.Options{})
	input, err := protocol.EncodeRequest(sendTo(s.Settings(), method.SMS))
	must(t, err)
	log := filepath.Join(plant.Open(t), "log")
	cmd := command(t)
	cmd.Path = strace
	cmd.Args = []string{"strace", "-f", "-o", log, "-e", "trace=/landlock",
		"-e", "inject=landlock_create_ruleset:error=ENOSYS", program}
	var stdout bytes.Buffer
	cmd.Stdin, cmd.Stdout = bytes.NewReader(input), &stdout
	must(t, cmd.Run())
	a, err := protocol.DecodeAnswer(stdout.Bytes())
	must(t, err)
	want(t, a, protocol.Sent)
	read, err := os.ReadFile(log)
	must(t, err)
	text := string(read)
	if !strings.Contains(text, "ENOSYS") || strings.Contains(text, "landlock_restrict_self") {
		t.Errorf("got %s, want Landlock refused and not used", text)
	}
}
