package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// made builds what goes into the machines: the packages, and what runs inside.
func made(dir string) (files []string, err error) {
	for _, argv := range [][]string{
		{"make", "--no-print-directory", "packages", "ARCHES=amd64", "KINDS=deb", "B=" + dir},
		{"env", "CGO_ENABLED=0", "go", "build", "-o", filepath.Join(dir, "inside"),
			"./sshd/confined/inside"},
	} {
		if err := command(argv...); err != nil {
			return nil, err
		}
	}
	files, err = filepath.Glob(filepath.Join(dir, "packages/*.deb"))
	return append(files, filepath.Join(dir, "inside")), err
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
# Installs latchkey, has AppArmor enforce every profile of it, tries it, and ends.
export DEBIAN_FRONTEND=noninteractive
dpkg -i /root/*.deb
cd /etc/apparmor.d
sed -i 's/,complain)/)/' usr.bin.enroll usr.*bin.latchkey-* usr.libexec.latchkey.*
apparmor_parser --replace usr.bin.enroll usr.*bin.latchkey-* usr.libexec.latchkey.*
chmod 755 /root/inside
/root/inside
systemctl poweroff
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
	// Emulated, loading the profiles of other packages takes minutes.
	units := filepath.Join(root, "etc/systemd/system")
	return errors.Join(
		os.Symlink("/"+service, filepath.Join(units, "multi-user.target.wants/confined.service")),
		os.Symlink("/dev/null", filepath.Join(units, "apparmor.service")))
}
