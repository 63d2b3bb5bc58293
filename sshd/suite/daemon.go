package suite

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"latchkey/sshd/poll"
	"latchkey/sshd/suite/wire"
)

// Daemon is a program that runs inside a host until it is stopped.
type Daemon struct {
	conn net.Conn
	host *Host
	name string
}

// daemon runs a program as another user. Its process id and what it prints are left in /suite.
const daemon = `user=$1
shift
echo $$ >"/suite/$0.pid"
exec setpriv --reuid "$user" --regid "$user" --init-groups -- "$@" >>"/suite/$0.log" 2>&1`

// Start starts a program inside as that user.
func (h *Host) Start(name, user string, argv ...string) (*Daemon, error) {
	conn, err := h.begin(wire.Request{
		Argv: append([]string{"/bin/sh", "-c", daemon, name, user}, argv...),
	})
	if err != nil {
		return nil, err
	}
	return &Daemon{conn, h, name}, nil
}

// Signal sends the program a signal, such as STOP.
func (d *Daemon) Signal(signal string) error {
	_, err := d.host.Script(fmt.Sprintf("kill -%s $(cat /suite/%s.pid)", signal, d.name))
	return err
}

// Kill ends the program and its children at once, and waits until it is gone.
func (d *Daemon) Kill() error {
	if err := d.conn.Close(); err != nil {
		return err
	}
	return poll.Until("the end of "+d.name, time.Minute, func() error {
		if !d.Runs() {
			return nil
		}
		return errors.New("it runs")
	})
}

// Runs reports whether the program has not ended.
func (d *Daemon) Runs() bool {
	_, err := d.host.Script(fmt.Sprintf("kill -0 $(cat /suite/%s.pid)", d.name))
	return err == nil
}

// Printed is what the program has printed so far, on both streams.
func (d *Daemon) Printed() string {
	text, _ := os.ReadFile(filepath.Join(d.host.dir, "suite", d.name+".log"))
	return string(text)
}
