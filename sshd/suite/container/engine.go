// Package container runs the container engine of this machine, docker or podman, and makes images.
package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// Engine is a container engine: docker, or podman with the options that work here.
type Engine struct {
	prefix []string // the command and its global options
	Proved bool     // it has started a container
}

// Limits are lower than any default of the engines, so that an engine that was itself started
// under low limits can set them.
var Limits = []string{"--ulimit", "nofile=1024:4096", "--ulimit", "nproc=4096:10000"}

// candidates in order of preference. Podman as root needs other options on a machine without
// systemd or with an old crun.
var candidates = [][]string{
	{"docker"},
	{"podman"},
	{"podman", "--runtime", "runc"},
	{"podman", "--cgroup-manager=cgroupfs", "--runtime", "runc"},
}

// ErrNone says that neither docker nor podman can be used.
var ErrNone = errors.New("no container engine works here: a docker engine, or podman with " +
	"runc and root, is needed (packaging/deps.sh installs podman)")

// Find gives the first engine that answers. Whether it can start a container is seen by Usable.
func Find() (*Engine, error) {
	for _, prefix := range candidates {
		e := &Engine{prefix: prefix}
		if _, err := e.Run(nil, "info"); err == nil {
			return e, nil
		}
	}
	return nil, ErrNone
}

// Usable gives an engine of the same kind that starts a container from the image.
func (e *Engine) Usable(image string) (*Engine, error) {
	var last error
	for _, prefix := range candidates {
		if prefix[0] != e.prefix[0] {
			continue
		}
		try := &Engine{prefix: prefix, Proved: true}
		args := append([]string{"run", "--rm", "--network=host"}, Limits...)
		if _, last = try.Run(nil, append(args, image, "/bin/true")...); last == nil {
			return try, nil
		}
	}
	return nil, fmt.Errorf("%w: %v", ErrNone, last)
}

// String names the engine as a person would type it.
func (e *Engine) String() string {
	out, err := e.Run(nil, "--version")
	if err != nil {
		return strings.Join(e.prefix, " ")
	}
	return strings.TrimSpace(string(out))
}

// Command is an engine command line for exec.Command.
func (e *Engine) Command(args ...string) []string {
	return append(append([]string{}, e.prefix...), args...)
}

// Run runs one engine command, at most five minutes, and gives its standard output.
func (e *Engine) Run(stdin io.Reader, args ...string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	argv := e.Command(args...)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = stdin, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %v: %s", strings.Join(argv, " "), err,
			bytes.TrimSpace(stderr.Bytes()))
	}
	return stdout.Bytes(), nil
}

// Remove ends a container and removes it. It may be ending by itself already: podman's rm --force
// fails on such a one.
func (e *Engine) Remove(id string) error {
	_, _ = e.Run(nil, "kill", id) // fails if it has ended
	if _, err := e.Run(nil, "wait", id); err != nil {
		return err
	}
	_, err := e.Run(nil, "rm", id)
	return err
}
