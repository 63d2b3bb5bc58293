package suite

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"latchkey/sshd/poll"
	"latchkey/sshd/suite/container"
	"latchkey/sshd/suite/wire"
)

// shared is what all containers share.
type shared struct {
	Engine *container.Engine
	dir    string        // temporary, on this side
	host   ssh.PublicKey // of every server
	// lasting: a container is there until it is removed, and can be started again
	lasting bool
}

// Host is a running container of one distribution, with latchkey installed unless it is a bare
// one.
type Host struct {
	*Distribution
	suite    *shared
	dir      string // on this side; /suite inside
	id       string // the container's
	Pid      int    // of the container's first process, as this side sees it
	lifeline net.Conn
	lasting  bool
	marks    atomic.Uint64 // lines in the log that Log has sent

	users   sync.Mutex
	named   int    // how many names were made up
	added   int    // how many users were added
	hash    string // of Password, as passwd(1) of the distribution makes it
	servers sync.Mutex
	kept    map[string]*Server
}

// Config is one sshd: the PAM service it uses and the sshd_config lines that differ from base.
type Config struct {
	Name    string // of the PAM service
	Stack   Stack
	Account []string // account lines of the service beside pam_unix's
	Options []string // they come first, and sshd takes the first value of an option
}

// Server is a running sshd.
type Server struct {
	*Host
	Config
	Port int
	conn net.Conn
}

// Close ends the container by its id and waits until it is removed. Letting go of the lifeline is
// enough as a rule.
func (h *Host) Close() error {
	if h.lifeline != nil {
		_ = h.lifeline.Close()
	}
	if h.lasting {
		return h.suite.Engine.Remove(h.id)
	}
	_, _ = h.suite.Engine.Run(nil, "wait", h.id) // fails if it is gone already
	if poll.Until("the removal of "+h.id, 10*time.Second, h.removed) == nil {
		return nil
	}
	return poll.Until("the removal of "+h.id+" by force", time.Minute, func() error {
		_, err := h.suite.Engine.Run(nil, "rm", "--force", h.id)
		if h.removed() == nil {
			return nil // by the engine itself, meanwhile
		}
		return err
	})
}

func (h *Host) removed() error {
	if _, err := h.suite.Engine.Run(nil, "container", "inspect", h.id); err == nil {
		return errors.New("it is still there")
	}
	return nil
}

func (h *Host) dial() (net.Conn, error) {
	return net.Dial("unix", filepath.Join(h.dir, "suite", "agent.sock"))
}

// Run runs a command inside as root and waits for it. An error means that it could not be run,
// not that it failed.
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

// begin starts a command inside. It is killed when the connection closes; before that, the reply
// comes when it ends.
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

// Exec runs a command inside, with an optional standard input, and gives its standard output; an
// exit status other than 0 is an error that says what it printed.
func (h *Host) Exec(stdin string, argv ...string) (string, error) {
	reply, err := h.Run(wire.Request{Argv: argv, Stdin: []byte(stdin)})
	if err != nil {
		return "", err
	}
	if reply.Exit != 0 {
		return string(reply.Stdout),
			fmt.Errorf("%s: exit status %d: %s%s", strings.Join(argv, " "), reply.Exit,
				reply.Stdout, reply.Stderr)
	}
	return string(reply.Stdout), nil
}

// Script runs a shell script inside.
func (h *Host) Script(script string) (string, error) {
	return h.Exec(script, "/bin/sh", "-s")
}

// Shell is a command line for this side that runs argv inside on the terminal it is started on.
func (h *Host) Shell(argv ...string) []string {
	return h.suite.Engine.Command(append([]string{"exec", "--interactive", "--tty", h.id},
		argv...)...)
}

// Path is where this side finds a path of the host. It must not lead through absolute symbolic
// links.
func (h *Host) Path(inside string) string {
	return fmt.Sprintf("/proc/%d/root%s", h.Pid, inside)
}
