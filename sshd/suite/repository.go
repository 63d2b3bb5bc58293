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

// stage puts latchkey into dir/stage exactly as `make install` does, and the agent into dir/agent.
func stage(dir string) error {
	top, err := root()
	if err != nil {
		return err
	}
	if err := build(top, "make", "install", "DESTDIR="+filepath.Join(dir, "stage"),
		"PREFIX=/usr"); err != nil {
		return err
	}
	return build(top, "go", "build", "-trimpath", "-o", filepath.Join(dir, "agent"),
		"./sshd/agent")
}

// build runs a build command in the top folder. CGO_ENABLED stays as it is for make, whose rules
// set it themselves; the agent must be static to run in any container.
func build(top string, argv ...string) error {
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
