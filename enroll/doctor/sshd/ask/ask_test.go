package ask_test

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"latchkey/enroll/doctor/sshd/ask"
)

// hanging makes a command that does not end and leaves a process behind, which keeps its output
// open. It is cancelled once both run.
func hanging(t *testing.T) func(context.Context, ...string) *exec.Cmd {
	t.Helper()
	lives, end, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	begun, begin, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { begin.Close(); end.Close(); lives.Close() })
	return func(ctx context.Context, _ ...string) *exec.Cmd {
		ctx, cancel := context.WithCancel(ctx)
		go func() { begun.Read(make([]byte, 1)); cancel(); begun.Close() }()
		cmd := exec.CommandContext(ctx, "sh", "-c", `cat <&3 & echo >&4; exec cat <&3`)
		cmd.ExtraFiles = []*os.File{lives, begin}
		return cmd
	}
}

func TestSSHDThatHangsIsGivenUpThoughAProcessOfItsKeepsTheOutputOpen(t *testing.T) {
	a, err := ask.Program{Command: hanging(t)}.Ask("user=alice")
	if a != nil || err == nil || !strings.Contains(err.Error(), "sshd -T") {
		t.Errorf("got %v, %v, want an error about sshd -T", a, err)
	}
	if got := (ask.Program{Command: hanging(t)}).Release(); got != "" {
		t.Errorf("got the release %q, want none", got)
	}
}
