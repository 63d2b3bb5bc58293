package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/sshd/bench/figures"
)

// machine describes what this runs on.
func machine() figures.Machine {
	info, _ := os.ReadFile("/proc/cpuinfo")
	return figures.Machine{
		Processor:  field(string(info), "model name"),
		CPUs:       runtime.NumCPU(),
		Virtual:    strings.Contains(field(string(info), "flags"), "hypervisor"),
		Memory:     memory(),
		Kernel:     kernel(),
		FileSystem: fileSystem(os.TempDir()),
		Go:         strings.Replace(runtime.Version(), "go", "Go ", 1),
		Commit:     commit(),
		Date:       time.Now().UTC().Truncate(time.Second),
	}
}

// field returns the first value of a key in /proc/cpuinfo.
func field(info, key string) string {
	for line := range strings.Lines(info) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == key {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func memory() (gib int) {
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) != nil {
		return 0
	}
	return int((info.Totalram*uint64(info.Unit) + 1<<29) >> 30)
}

// kernel is its version, without what a distribution adds.
func kernel() string {
	var name unix.Utsname
	_ = unix.Uname(&name)
	version, _, _ := strings.Cut(unix.ByteSliceToString(name.Release[:]), "-")
	return version
}

// fileSystem names the one that a path is on (statfs(2)).
func fileSystem(path string) string {
	var fs unix.Statfs_t
	_ = unix.Statfs(path, &fs)
	names := map[int64]string{unix.EXT4_SUPER_MAGIC: "ext4", unix.XFS_SUPER_MAGIC: "XFS",
		unix.BTRFS_SUPER_MAGIC: "btrfs", unix.TMPFS_MAGIC: "tmpfs",
		unix.OVERLAYFS_SUPER_MAGIC: "overlayfs"}
	if name := names[int64(fs.Type)]; name != "" {
		return name
	}
	return fmt.Sprintf("file system %#x", fs.Type)
}

// commit names the source, if git knows it.
func commit() string {
	out, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
