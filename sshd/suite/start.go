package suite

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/sshd/poll"
	"latchkey/sshd/suite/container"
)

// install lays the staged files down.
const install = "cp -a /suite/stage/. /"

// settle sets the machine up, with a second name service.
const settle = `set -e
mkdir -p /run/sshd /var/lib/extrausers
touch /var/lib/extrausers/passwd /var/lib/extrausers/shadow /var/lib/extrausers/group
chmod 640 /var/lib/extrausers/shadow
sed -i -E 's/^(passwd|group|shadow):.*/& extrausers/' /etc/nsswitch.conf
rm -f /etc/motd /run/motd.dynamic
`

// run runs a container. /var/lib/latchkey and /home are folders of this machine: on an engine's own
// layers fsync may be switched off, and then neither the tests nor the benchmark would see its cost.
func (s *shared) run(d *Distribution, image string, content Content,
	options []string) (*Host, error) {
	dir, err := os.MkdirTemp(s.dir, d.Suite+"-")
	if err != nil {
		return nil, err
	}
	h := &Host{Distribution: d, suite: s, dir: dir, kept: map[string]*Server{}}
	for _, dir := range []string{"suite", "state", "home"} {
		if err := os.MkdirAll(filepath.Join(h.dir, dir), 0o755); err != nil {
			return nil, err
		}
	}
	args := slices.Concat([]string{"run", "--detach", "--cap-add=AUDIT_WRITE",
		"--hostname", d.Suite}, options, container.Limits)
	if !s.lasting {
		args = append(args, "--rm")
	}
	volumes := [][2]string{
		{filepath.Join(h.dir, "suite"), "/suite"},
		{filepath.Join(s.dir, "agent"), "/usr/libexec/latchkey-suite-agent:ro"},
		{filepath.Join(h.dir, "home"), "/home"},
	}
	if content != Nothing {
		volumes = append(volumes, [2]string{filepath.Join(s.dir, string(content)),
			"/suite/stage:ro"}, [2]string{filepath.Join(h.dir, "state"), content.state()})
	}
	for _, volume := range volumes {
		args = append(args, "--volume", volume[0]+":"+volume[1])
	}
	out, err := s.Engine.Run(nil, append(args, image, "/usr/libexec/latchkey-suite-agent",
		"/suite")...)
	if err != nil {
		return nil, err
	}
	h.id, h.lasting = strings.TrimSpace(string(out)), s.lasting
	err = h.ready()
	if err == nil && content != Nothing {
		_, err = h.Script(install)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// Restart ends everything in a lasting container at once and starts it again, as a machine is that
// loses its power. Nothing runs in it then: the caller starts what an init would.
func (h *Host) Restart() error {
	if _, err := h.suite.Engine.Run(nil, "restart", "-t", "0", h.id); err != nil {
		return err
	}
	if err := h.reach(); err != nil {
		return err
	}
	_, err := h.Script("mkdir -p /run/sshd && rm -f /run/*.pid")
	return err
}

// reach waits for the agent, and takes the lifeline.
func (h *Host) reach() error {
	out, err := h.suite.Engine.Run(nil, "inspect", "--format", "{{.State.Pid}}", h.id)
	if err != nil {
		return err
	}
	if h.Pid, err = strconv.Atoi(strings.TrimSpace(string(out))); err != nil {
		return err
	}
	return poll.Until("the agent of "+h.Name, time.Minute, func() (err error) {
		h.lifeline, err = h.dial()
		return err
	})
}

// ready waits for the agent, takes the lifeline, and sets the machine up.
func (h *Host) ready() error {
	if err := h.reach(); err != nil {
		return err
	}
	for key, mode := range map[string]os.FileMode{"host_key": 0o600, "user_key.pub": 0o644} {
		data, err := os.ReadFile(filepath.Join(h.suite.dir, key))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(h.dir, "suite", key), data, mode); err != nil {
			return err
		}
	}
	if _, err := h.Script(settle); err != nil {
		return err
	}
	return h.hashPassword()
}
