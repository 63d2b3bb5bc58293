// Package boot sees to it that a pending activation is undone in time: by a process that outlives
// the session it is started from, and by what starts with the machine, where the process is gone.
//
// What starts with the machine is written when an activation begins, and removed when it is
// confirmed or undone: a unit of systemd's, a line for cron, a script for System V's init, each
// where there is such a thing. All of them run the same command, which does nothing unless
// something is due, so more than one does no harm.
package boot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"latchkey/pam/safefile"
)

// unitName is the service of systemd's.
const unitName = "latchkey-rollback.service"

const unit = `# Written by enroll activate, and removed again: it undoes what no one confirms.
[Unit]
Description=Undo a change of how logins ask, unless it is confirmed
ConditionPathExists=/var/lib/latchkey/activation/journal
# sshd must be running to be reloaded: while it starts, it may already have read the old options.
After=ssh.service sshd.service

[Service]
ExecStart=%s deactivate --due
Restart=on-failure
RestartSec=5

[Install]
WantedBy=multi-user.target
`

const cronLine = `# Written by enroll activate, and removed again: it undoes what no one confirms.
@reboot root %s deactivate --due
`

const script = `#!/bin/sh
# Written by enroll activate, and removed again: it undoes what no one confirms.
### BEGIN INIT INFO
# Provides:          latchkey-rollback
# Required-Start:    $local_fs $remote_fs
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:
# Short-Description: Undo a change of how logins ask, unless it is confirmed
### END INIT INFO
case $1 in
start | restart) %s deactivate --due --detach ;;
esac
`

// hook is a file that has the command run when the machine starts.
type hook struct {
	within string // the folder that is there where it is of use
	path   string
	text   string
	mode   uint32
	link   string // a symbolic link in place of a file leads here
}

// hooks are all of them.
var hooks = []hook{
	{"/etc/systemd/system", "/etc/systemd/system/" + unitName, unit, 0o644, ""},
	{"/etc/systemd/system",
		"/etc/systemd/system/multi-user.target.wants/" + unitName, "", 0,
		"/etc/systemd/system/" + unitName},
	{"/etc/cron.d", "/etc/cron.d/latchkey-rollback", cronLine, 0o644, ""},
	{"/etc/rc2.d", "/etc/init.d/latchkey-rollback", script, 0o755, ""},
	{"/etc/rc2.d", "/etc/rc2.d/S99latchkey-rollback", "", 0, "../init.d/latchkey-rollback"},
	{"/etc/rc3.d", "/etc/rc3.d/S99latchkey-rollback", "", 0, "../init.d/latchkey-rollback"},
	{"/etc/rc4.d", "/etc/rc4.d/S99latchkey-rollback", "", 0, "../init.d/latchkey-rollback"},
	{"/etc/rc5.d", "/etc/rc5.d/S99latchkey-rollback", "", 0, "../init.d/latchkey-rollback"},
}

// Arm writes the files that start the command with the machine below root. program is enroll.
func Arm(root, program string) error {
	for _, h := range hooks {
		if _, err := os.Stat(root + h.within); err != nil {
			continue
		}
		if err := h.write(root, program); err != nil {
			return fmt.Errorf("%s: %w", h.path, err)
		}
	}
	return nil
}

func (h hook) write(root, program string) error {
	above := filepath.Dir(root + h.path)
	if err := os.Mkdir(above, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	dir, err := safefile.OpenDir(above)
	if err != nil {
		return err
	}
	defer dir.Close()
	if h.link == "" {
		text := fmt.Sprintf(h.text, program)
		return safefile.Part(dir.ReplaceAs(filepath.Base(h.path), []byte(text), h.mode, 0, 0))
	}
	if to, err := os.Readlink(root + h.path); err == nil && to == h.link {
		return nil
	}
	if err := os.Remove(root + h.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err // it leads elsewhere, and cannot be replaced
	}
	return os.Symlink(h.link, root+h.path)
}

// Disarm removes what Arm wrote.
func Disarm(root string) error {
	var errs []error
	for _, h := range hooks {
		if err := os.Remove(root + h.path); err != nil && !errors.Is(err, fs.ErrNotExist) &&
			!strings.Contains(err.Error(), "not a directory") {
			errs = append(errs, err)
		}
		if h.link == "" {
			_ = safefile.Sweep(filepath.Dir(root + h.path)) // what a killed Arm has left
		}
	}
	return errors.Join(errs...)
}

// Survives reports whether something of what Arm writes is run when this machine starts again:
// its first process is one that starts services, which in a container it often is not, and there
// is a folder for one of them.
func Survives(root string) bool {
	comm, _ := os.ReadFile(root + "/proc/1/comm")
	switch strings.TrimSpace(string(comm)) {
	case "systemd", "init", "openrc-init", "runit":
		return slices.ContainsFunc(hooks, func(h hook) bool {
			st, err := os.Stat(root + h.within)
			return err == nil && st.IsDir()
		})
	}
	return false
}
