package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// made builds what goes into the machines: the packages, what runs inside, and a module that only
// differs in how long it waits. Emulated, ten recovery codes take longer to hash than a login may.
func made(dir string) (files []string, err error) {
	for _, argv := range [][]string{
		{"make", "--no-print-directory", "packages", "ARCHES=amd64", "KINDS=deb", "B=" + dir},
		{"make", "--no-print-directory", "B=" + dir + "/slow", "CPPFLAGS=-DLATCHKEY_DEADLINE_MS=" +
			strconv.FormatInt(patience.Milliseconds(), 10), dir + "/slow/pam_latchkey.so"},
		{"env", "CGO_ENABLED=0", "go", "build", "-o", filepath.Join(dir, "inside"),
			"./sshd/confined/inside"},
	} {
		if err := command(argv...); err != nil {
			return nil, err
		}
	}
	files, err = filepath.Glob(filepath.Join(dir, "packages/*.deb"))
	return append(files, filepath.Join(dir, "inside"), filepath.Join(dir, "slow/pam_latchkey.so")), err
}

// command runs a command, whose output is shown only if it fails.
func command(argv ...string) error {
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", argv[0], err, out)
	}
	return nil
}

// script is what a machine does by itself.
const script = `#!/bin/sh
# Installs latchkey, tries it, and starts the machine twice more.
export DEBIAN_FRONTEND=noninteractive
stage=$(cat /root/stage || echo 0)
if [ "$stage" = 0 ]; then
	dpkg -i /root/*.deb
	cp /root/pam_latchkey.so /usr/lib/x86_64-linux-gnu/security/
	chmod 755 /root/inside
fi
echo $((stage + 1)) >/root/stage
/root/inside "$stage"
[ "$stage" = 2 ] && systemctl poweroff || systemctl reboot
`

// unit starts it when the machine has started, and shows its output on the first serial line.
const unit = `[Unit]
After=multi-user.target
[Service]
Type=idle
ExecStart=/bin/sh /root/script
StandardOutput=tty
StandardError=tty
TTYPath=/dev/ttyS0
Environment=HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin
[Install]
WantedBy=multi-user.target
`

// prepare puts into a machine's files what it needs to do that.
func prepare(root string, files []string) error {
	for _, file := range files {
		if err := command("cp", file, filepath.Join(root, "root", filepath.Base(file))); err != nil {
			return err
		}
	}
	const service = "etc/systemd/system/confined.service"
	for path, text := range map[string]string{
		"root/script": script, service: unit,
		"etc/fstab": "/dev/vda / ext4 defaults 0 1\n", "etc/hostname": "confined\n",
		"etc/hosts": "127.0.0.1 localhost confined\n",
	} {
		if err := os.WriteFile(filepath.Join(root, path), []byte(text), 0o644); err != nil {
			return err
		}
	}
	units := filepath.Join(root, "etc/systemd/system")
	// Emulated, loading the profiles of other packages takes minutes.
	if err := command("find", filepath.Join(root, "etc/apparmor.d"), "-maxdepth", "1", "-type", "f",
		"-delete"); err != nil {
		return err
	}
	for _, name := range idle {
		if err := os.Symlink("/dev/null", filepath.Join(units, name)); err != nil {
			return err
		}
	}
	return errors.Join(
		os.Symlink("/"+service, filepath.Join(units, "multi-user.target.wants/confined.service")),
		os.RemoveAll(filepath.Join(units, "multi-user.target.wants/etcd.service")))
}

// idle are units that a machine does without: emulated, each takes seconds.
var idle = []string{"apt-daily.timer", "apt-daily-upgrade.timer", "dpkg-db-backup.timer",
	"e2scrub_all.timer", "e2scrub_reap.service", "fstrim.timer", "logrotate.timer"}
