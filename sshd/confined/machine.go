package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"latchkey/sshd/suite"
	"latchkey/sshd/suite/container"
)

// packages are what a machine has beside Debian's base and latchkey.
var packages = []string{"linux-image-cloud-amd64", "initramfs-tools", "systemd-sysv", "udev",
	"dbus", "libpam-systemd", "openssh-server", "openssh-client", "sudo", "login", "passwd",
	"apparmor", "auditd", "cron", "kmod", "iproute2", "e2fsprogs", "ca-certificates",
	"etcd-server", "etcd-client", "openssl"}

// patience is for a whole machine, emulated on a busy one.
const patience = 90 * time.Minute

// machine is a virtual machine that is not running yet.
type machine struct {
	root string // its files
	disk string // a file with them in a file system
}

// newMachine makes the disk of a machine.
func newMachine(dir string, d *suite.Distribution, files []string) (*machine, error) {
	tar, err := base(d)
	if err != nil {
		return nil, err
	}
	m := &machine{root: filepath.Join(dir, d.Suite), disk: filepath.Join(dir, d.Suite+".disk")}
	if err := os.Mkdir(m.root, 0o755); err != nil {
		return nil, err
	}
	if err := command("tar", "-C", m.root, "-xf", tar, "--exclude=./dev/*"); err != nil {
		return nil, err
	}
	if err := prepare(m.root, files); err != nil {
		return nil, err
	}
	if err := command("truncate", "-s", "3G", m.disk); err != nil {
		return nil, err
	}
	return m, command("mkfs.ext4", "-q", "-F", "-d", m.root, m.disk)
}

// base gives a distribution's files as a tar, and makes it unless it is in the cache.
func base(d *suite.Distribution) (tar string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	tar = filepath.Join(cache, "latchkey", "confined-"+d.Suite+".tar")
	if _, err := os.Stat(tar); err == nil {
		return tar, nil
	}
	fmt.Printf("confined: making the %s machine from Debian's packages, once\n", d.Suite)
	if err := os.MkdirAll(filepath.Dir(tar), 0o755); err != nil {
		return "", err
	}
	fresh := tar + ".new.tar"
	err = command(append([]string{"mmdebstrap", "--variant=minbase", "--include=" +
		strings.Join(packages, ","), d.Suite, fresh}, container.Mirrors(d.Suite)...)...)
	if err != nil {
		return "", err
	}
	return tar, os.Rename(fresh, tar)
}

// qemu is the command line. The machine has no network but its own loopback. Its processor is one
// without vectors of 256 bits, which are slow to emulate.
func (m *machine) qemu() ([]string, error) {
	kernel, err := one(filepath.Join(m.root, "boot/vmlinuz-*"))
	if err != nil {
		return nil, err
	}
	initrd, err := one(filepath.Join(m.root, "boot/initrd.img-*"))
	if err != nil {
		return nil, err
	}
	return []string{"qemu-system-x86_64", "-M", "q35", "-accel", "tcg,thread=multi,tb-size=768",
		"-cpu", "Westmere", "-smp", "1", "-m", "1024", "-nographic", "-nic", "none",
		"-kernel", kernel, "-initrd", initrd, "-append", "console=ttyS0 root=/dev/vda rw quiet " +
			"mitigations=off apparmor=1 security=apparmor", "-device", "virtio-rng-pci",
		"-drive", "if=virtio,format=raw,cache=unsafe,file=" + m.disk}, nil
}

func one(pattern string) (string, error) {
	found, err := filepath.Glob(pattern)
	if err == nil && len(found) != 1 {
		err = fmt.Errorf("%s: got %d files, want one", pattern, len(found))
	}
	if err != nil {
		return "", err
	}
	return found[0], nil
}

// run starts the machine, shows what it says of itself, and fails unless it says that all is well.
func (m *machine) run() error {
	argv, err := m.qemu()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	verdict := watch(out)
	return errors.Join(verdict, cmd.Wait())
}

// said is a line of command inside's on the serial line, on which the kernel writes, too.
var said = regexp.MustCompile(`confined: .*`)

// starts are how often the machine is started, and gives a result.
const starts = 3

// watch shows those lines.
func watch(serial io.Reader) error {
	verdict, stages := error(nil), 0
	lines := bufio.NewScanner(serial)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := said.FindString(strings.TrimSpace(lines.Text()))
		if line != "" {
			fmt.Println(line)
		}
		var failed, denials int
		if n, _ := fmt.Sscanf(line, "confined: %d failed, %d denials", &failed, &denials); n == 2 {
			stages++
			if failed+denials > 0 {
				verdict = fmt.Errorf("%d failed, %d denials", failed, denials)
			}
		}
	}
	if verdict == nil && stages < starts {
		verdict = fmt.Errorf("the machine ended after %d results, want %d", stages, starts)
	}
	return errors.Join(verdict, lines.Err())
}
