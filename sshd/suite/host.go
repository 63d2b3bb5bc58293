package suite

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"latchkey/sshd/poll"
	"latchkey/sshd/suite/container"
	"latchkey/sshd/suite/wire"
)

// Host is a running container of one distribution, with latchkey installed unless it is a bare one.
type Host struct {
	*Distribution
	suite    *Suite
	dir      string // on this side; /suite inside
	id       string // the container's
	Pid      int    // of the container's first process, as this side sees it
	lifeline net.Conn

	users   sync.Mutex
	named   int    // how many names were made up
	added   int    // how many users were added
	hash    string // of Password, as passwd(1) of the distribution makes it
	servers sync.Mutex
	kept    map[string]*Server
}

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

// start runs a container; a bare one is without latchkey. /var/lib/latchkey and /home are folders of this machine: on an engine's own
// layers fsync may be switched off, and then neither the tests nor the benchmark would see its cost.
func (s *Suite) start(d *Distribution, image string, bare bool) (*Host, error) {
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
	args := append([]string{"run", "--detach", "--rm", "--network=host", "--cap-add=AUDIT_WRITE", "--hostname", d.Suite}, container.Limits...)
	volumes := [][2]string{
		{filepath.Join(h.dir, "suite"), "/suite"},
		{filepath.Join(s.dir, "stage"), "/suite/stage:ro"},
		{filepath.Join(s.dir, "agent"), "/usr/libexec/latchkey-suite-agent:ro"},
		{filepath.Join(h.dir, "home"), "/home"},
	}
	if !bare {
		volumes = append(volumes, [2]string{filepath.Join(h.dir, "state"), "/var/lib/latchkey"})
	}
	for _, volume := range volumes {
		args = append(args, "--volume", volume[0]+":"+volume[1])
	}
	out, err := s.Engine.Run(nil, append(args, image, "/usr/libexec/latchkey-suite-agent", "/suite")...)
	if err != nil {
		return nil, err
	}
	h.id = strings.TrimSpace(string(out))
	err = h.ready()
	if err == nil && !bare {
		_, err = h.Script(install)
	}
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return h, nil
}

// ready waits for the agent, takes the lifeline, and sets the machine up.
func (h *Host) ready() error {
	out, err := h.suite.Engine.Run(nil, "inspect", "--format", "{{.State.Pid}}", h.id)
	if err != nil {
		return err
	}
	if h.Pid, err = strconv.Atoi(strings.TrimSpace(string(out))); err != nil {
		return err
	}
	err = poll.Until("the agent of "+h.Name, 30*time.Second, func() (err error) {
		h.lifeline, err = h.dial()
		return err
	})
	if err != nil {
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

// Close ends the container by its id and waits until it is removed. Letting go of the lifeline is enough as a rule.
func (h *Host) Close() error {
	if h.lifeline != nil {
		_ = h.lifeline.Close()
	}
	containers := h.suite.Engine
	removed := func() error {
		if _, err := containers.Run(nil, "container", "inspect", h.id); err == nil {
			return errors.New("it is still there")
		}
		return nil
	}
	if poll.Until("the removal of "+h.id, 10*time.Second, removed) == nil {
		return nil
	}
	_, err := containers.Run(nil, "rm", "--force", h.id)
	return err
}

func (h *Host) dial() (net.Conn, error) {
	return net.Dial("unix", filepath.Join(h.dir, "suite", "agent.sock"))
}

// Run runs a command inside as root and waits for it. An error means that it could not be run, not that it failed.
func (h *Host) Run(req wire.Request) (*wire.Reply, error) {
	conn, err := h.begin(req)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	reply := new(wire.Reply)
	if err := json.NewDecoder(conn).Decode(reply); err != nil {
		return nil, fmt.Errorf("%v: the agent of %s is gone: %w", req.Argv, h.Name, err)
	}
	return reply, nil
}

// begin starts a command inside. It is killed when the connection closes; before that, the reply comes when it ends.
func (h *Host) begin(req wire.Request) (net.Conn, error) {
	conn, err := h.dial()
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(conn).Encode(req); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// Exec runs a command inside, with an optional standard input, and gives its standard output; an exit status other than 0
// is an error that says what it printed.
func (h *Host) Exec(stdin string, argv ...string) (string, error) {
	reply, err := h.Run(wire.Request{Argv: argv, Stdin: []byte(stdin)})
	if err != nil {
		return "", err
	}
	if reply.Exit != 0 {
		return string(reply.Stdout), fmt.Errorf("%s: exit status %d: %s%s", strings.Join(argv, " "), reply.Exit, reply.Stdout, reply.Stderr)
	}
	return string(reply.Stdout), nil
}

// Script runs a shell script inside.
func (h *Host) Script(script string) (string, error) {
	return h.Exec(script, "/bin/sh", "-s")
}

// Shell is a command line for this side that runs argv inside on the terminal it is started on.
func (h *Host) Shell(argv ...string) []string {
	return h.suite.Engine.Command(append([]string{"exec", "--interactive", "--tty", h.id}, argv...)...)
}

// Path is where this side finds a path of the host. It must not lead through absolute symbolic links.
func (h *Host) Path(inside string) string {
	return fmt.Sprintf("/proc/%d/root%s", h.Pid, inside)
}
