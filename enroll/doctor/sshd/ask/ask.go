// Package ask asks sshd what is in force for a connection.
package ask

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"latchkey/enroll/doctor/sshd/config"
	"latchkey/enroll/doctor/sshd/ways"
)

// Program is an sshd that can be asked.
type Program struct {
	// Command makes a command that runs sshd with these arguments.
	Command func(ctx context.Context, args ...string) *exec.Cmd
	Flags   []string // that it is started with: -f FILE, -o OPTION
}

// patience is for one answer; it takes milliseconds.
const patience = 10 * time.Second

// command makes a command that is given up when ctx ends. A process that sshd started, or a script
// in its place, may keep the output open; once sshd has ended, that is waited for as long as an
// answer, because a busy disk can hold up the reader.
func (p Program) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := p.Command(ctx, args...)
	cmd.WaitDelay = patience
	return cmd
}

// Ask runs sshd -T for a connection. With -ddd it also says which Match lines it meets, in
// included files too.
func (p Program) Ask(spec string) (*Answer, error) {
	args := append([]string{"-T", "-ddd", "-C", spec}, p.Flags...)
	out, trace, err := p.run(args...)
	if err != nil {
		return nil, err
	}
	a := &Answer{Options: ways.Parse(out)}
	if a.Options.First("usepam") == "" {
		return nil, errors.New("sshd -T does not say whether it uses PAM")
	}
	a.follow(trace)
	return a, nil
}

func (p Program) run(args ...string) (out, trace string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := p.command(ctx, args...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	switch {
	case ctx.Err() != nil:
		return "", "", fmt.Errorf("sshd -T: no answer within %v", patience)
	case err != nil:
		return "", "", fmt.Errorf("sshd -T: %w: %s", err, lastWord(stderr.String()))
	}
	return stdout.String(), stderr.String(), nil
}

// lastWord is the last line that is no tracing.
func lastWord(trace string) string {
	last := ""
	for line := range strings.Lines(trace) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "debug") {
			last = line
		}
	}
	return last
}

// Release is how sshd names its own version, for Match Version (since OpenSSH 10).
func (p Program) Release() string {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := p.command(ctx, "-V")
	text, err := cmd.CombinedOutput()
	if err != nil {
		return ""
	}
	name, _, _ := strings.Cut(strings.TrimSpace(string(text)), ",")
	return name
}

// Keywords are those that the program's flags set.
func (p Program) Keywords() []string {
	var all []string
	for i, flag := range p.Flags[:max(0, len(p.Flags)-1)] {
		if flag == "-o" {
			keyword, _ := config.CutKeyword(p.Flags[i+1])
			all = append(all, keyword)
		}
	}
	return all
}
