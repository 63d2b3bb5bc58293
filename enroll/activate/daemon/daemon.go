// Package daemon has sshd read its configuration: it checks it first, and sees that sshd goes on.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/enroll/doctor/server"
)

const program = "/usr/sbin/sshd"

// patience is for one command.
const patience = time.Minute

// privsep is the folder that sshd wants. Its service makes it; where a socket starts sshd, it may
// not be there yet.
const privsep = "/run/sshd"

// Prepare makes the folder without which sshd does not even look at its configuration.
func Prepare() {
	if os.Mkdir(privsep, 0o755) == nil {
		os.Chmod(privsep, 0o755) // despite the umask; sshd says what it misses
	}
}

// Check has sshd say whether its configuration can be used (sshd -t).
func Check() error {
	Prepare()
	out, err := run(program, "-t")
	if err != nil {
		return fmt.Errorf("sshd -t: %w: %s", err, strings.TrimSpace(out))
	}
	return nil
}

func run(words ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput()
	return string(out), err
}

// units are the names of sshd's service, by distribution.
var units = []string{"ssh.service", "sshd.service"}

// Reload has every sshd that listens read its configuration. Open sessions go on. An sshd that a
// socket starts for each connection reads it anyway, so none that listens is no error. pause
// waits for a moment.
func Reload(systemd bool, pause func(time.Duration)) error {
	all := listeners()
	unit := active(systemd)
	if unit == "" {
		return hangUp(all, pause)
	}
	units, others := split(all, mainProcess(unit))
	return errors.Join(reloadUnit(unit, units, pause), hangUp(others, pause))
}

// hangUp has listeners read their configuration, each by a signal.
func hangUp(all []listener, pause func(time.Duration)) error {
	var errs []error
	for _, l := range all {
		err := unix.Kill(l.pid, unix.SIGHUP)
		if err == nil {
			err = l.await(pause)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("reload sshd (process %d): %w", l.pid, err))
		}
	}
	return errors.Join(errs...)
}

// split returns the listener that is the main process of a unit, and the others, which systemd does
// not reload with it. If that process is not known, all are taken for the unit's.
func split(all []listener, main int) (units, others []listener) {
	if main == 0 {
		return all, nil
	}
	for _, l := range all {
		if l.pid == main {
			units = append(units, l)
		} else {
			others = append(others, l)
		}
	}
	return units, others
}

// mainProcess is that of a unit of systemd's; 0: it is not known.
func mainProcess(unit string) int {
	out, err := run("systemctl", "show", "--property=MainPID", "--value", unit)
	if err != nil {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(out)) // 0 if it is something else
	return pid
}

// reloadUnit has systemd do it. An sshd that a socket started must be started again: at SIGHUP it
// would open its port, which the socket holds, and end. Its sessions go on (KillMode=process).
func reloadUnit(unit string, before []listener, pause func(time.Duration)) error {
	verb := "reload"
	if bySocket(unit) {
		verb, before = "restart", nil
	}
	if out, err := run("systemctl", verb, unit); err != nil {
		return fmt.Errorf("systemctl %s %s: %w: %s", verb, unit, err, strings.TrimSpace(out))
	}
	for _, l := range before {
		if err := l.await(pause); errors.Is(err, errGone) {
			return err
		}
	}
	return nil
}

// active is the unit of systemd's that runs sshd; empty: there is none.
func active(systemd bool) string {
	for _, unit := range units {
		if !systemd {
			break
		}
		if _, err := run("systemctl", "is-active", "--quiet", unit); err == nil {
			return unit
		}
	}
	return ""
}

// bySocket reports whether a socket of systemd's starts the unit.
func bySocket(unit string) bool {
	socket := strings.TrimSuffix(unit, ".service") + ".socket"
	_, err := run("systemctl", "is-active", "--quiet", socket)
	return err == nil
}

// listener is an sshd that waits for connections.
type listener struct {
	pid     int
	sockets []string
}

// listeners are those of this machine or container: one of another container is no business of
// ours. One that would not find its own sshd_config, because that is gone or was named from another
// folder, would end at a signal, and may be the administrator's last way in.
func listeners() (all []listener) {
	ours, _ := os.Readlink("/proc/self/ns/pid")
	for _, pid := range server.Running("") {
		theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
		if err != nil || theirs != ours {
			continue
		}
		if _, err := os.Stat(server.File(pid)); !errors.Is(err, fs.ErrNotExist) {
			all = append(all, listener{pid, sockets(pid)})
		}
	}
	return all
}

// sockets are those at which a process listens, by which it is seen that it opened new ones. One of
// a connection says nothing, and sshd closes those that listen some time before it reads anything.
func sockets(pid int) (all []string) {
	listening := map[string]bool{}
	for _, table := range []string{"tcp", "tcp6"} {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, table)) // there may be no IPv6
		for line := range strings.Lines(string(text)) {
			if words := strings.Fields(line); len(words) > 9 && words[3] == "0A" {
				listening["socket:["+words[9]+"]"] = true
			}
		}
	}
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid)) // the pattern has no mistake
	for _, file := range files {
		if to, err := os.Readlink(file); err == nil && listening[to] {
			all = append(all, to)
		}
	}
	return all
}

const (
	moment  = 20 * time.Millisecond
	moments = 1000 // 20 seconds
)

var errGone = errors.New("sshd has ended instead of reading its configuration")

// await waits until an sshd listens again, with new sockets.
func (l listener) await(pause func(time.Duration)) error {
	for range moments {
		pause(moment)
		if unix.Kill(l.pid, 0) != nil {
			return errGone
		}
		now := sockets(l.pid)
		old := func(socket string) bool { return slices.Contains(l.sockets, socket) }
		if len(now) > 0 && !slices.ContainsFunc(now, old) && server.Listens(l.pid) {
			return nil
		}
	}
	return errors.New("sshd does not say that it has read its configuration")
}
