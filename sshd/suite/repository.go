package suite

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"latchkey/sshd/suite/container"
)

// root is the folder of go.mod, at or above the working directory.
func root() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for ; dir != "/"; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("go.mod not found above the working directory")
}

// Content is what a container has of latchkey.
type Content string

// The contents. Each is what a target of the Makefile installs.
const (
	Nothing        Content = ""
	HostPackage    Content = "latchkey"
	ServicePackage Content = "latchkey-fleetd"
)

// state is the folder in which what changes is kept.
func (c Content) state() string { return "/var/lib/" + string(c) }

// stage puts the content into a folder of its own, once.
func (s *shared) stage(c Content) error {
	dir := filepath.Join(s.dir, string(c))
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	target := map[Content]string{HostPackage: "install", ServicePackage: "install-fleetd"}[c]
	return s.build("make", target, "DESTDIR="+dir, "PREFIX=/usr")
}

// build runs a build command in the repository's top folder. CGO_ENABLED stays as it is for make,
// whose rules set it themselves; the agent must be static to run in any container.
func (s *shared) build(argv ...string) error {
	top, err := root()
	if err != nil {
		return err
	}
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Dir = top
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "MAKE") && !strings.HasPrefix(v, "MFLAGS=") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	if argv[0] == "go" {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=0")
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %v\n%s", strings.Join(argv, " "), err,
			container.LastLines(string(out), 20))
	}
	return nil
}
